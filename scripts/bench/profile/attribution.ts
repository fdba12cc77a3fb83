/** A V8 CPU profile → time by stage. Pure. It is time on the wall: a thread that waits for a core is sampled where it stands, so shares are the truth. */

/** What `--cpu-prof` writes (the inspector's Profiler.Profile); times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: readonly number[]
  }[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface StageRule {
  readonly stage: string
  /** of the frame's file */
  readonly file?: RegExp
  /** of the frame's function; with `file` both must fit */
  readonly name?: RegExp
}

/** Asked from the innermost frame outwards; the first frame that some rule knows decides, so Node's own files count for whoever called them. */
export const STAGES: readonly StageRule[] = [
  { stage: 'idle', name: /^\(idle\)$/ },
  { stage: 'garbage collection', name: /^\(garbage collector\)$/ },
  { stage: 'outside JavaScript (system calls, event loop)', name: /^\(program\)$/ },
  { stage: 'sign (only handing over: the pool does it)', file: /services\/content\/dkim\.ts$/, name: /^(signature|signInPool|sign.*Pool)$/ },
  { stage: 'hash and DKIM header', file: /services\/content\/dkim(-keys)?\.ts$/ },
  { stage: 'render: templates', file: /services\/content\/template\.ts$|node_modules\/liquidjs\// },
  { stage: 'render: encode the bodies', file: /services\/content\/bodies\.ts$|node_modules\/(html-to-text|nodemailer\/.*\/(mime|base64|qp))/ },
  { stage: 'render: headers, assembling', file: /services\/content\/|services\/sender\/contents\.ts$/ },
  { stage: 'parse replies', file: /services\/sender\/smtp\/reply-parser\.ts$/ },
  { stage: 'parse replies', file: /services\/sender\/smtp\/wire\.ts$/, name: /^read$/ },
  { stage: 'write to sockets', file: /services\/sender\/smtp\/(wire|body|commands)\.ts$/ },
  { stage: 'SMTP session', file: /services\/sender\/(smtp\/|session-worker|session-door|routes|ahead)/ },
  { stage: 'judge replies', file: /services\/sender\/policy\// },
  { stage: 'journal and claims', file: /services\/sender\/(journal|claims|state)\.ts$/ },
  { stage: 'NATS', file: /node_modules\/(nats|@nats-io)\/|services\/runtime\/(bus|kv|objects)|protocol\/codec\.ts$/ },
  { stage: 'orders, leases, pace, reports', file: /services\/sender\/|protocol\// },
  { stage: 'runtime, other packages', file: /services\/runtime\/|node_modules\// },
]
const REST = 'Node itself'

/** Window on the profile's clock (CLOCK_MONOTONIC, as process.hrtime), in microseconds. */
export interface Window {
  readonly fromUs: number
  readonly toUs: number
}

export function attribute(profile: CpuProfile, rules: readonly StageRule[], window: Window): Map<string, number> {
  const stageOf = stages(profile, rules)
  return collect(profile, window, (id) => stageOf(id))
}

/** Time by function alone, without what it calls: `encodeQ node_modules/nodemailer/lib/qp/index.js`. */
export function byFunction(profile: CpuProfile, window: Window): Map<string, number> {
  const names = new Map(profile.nodes.map(({ id, callFrame: { functionName, url } }) => [id, `${functionName || '(anonymous)'} ${shortened(url)}`.trim()]))
  return collect(profile, window, (id) => names.get(id) ?? REST)
}

/** The path from the project's root: the same on every machine. */
const shortened = (url: string): string => /(?:services|protocol|node_modules)\/.*$/.exec(url)?.[0] ?? url.replace(/^file:.*\//, '')

function stages(profile: CpuProfile, rules: readonly StageRule[]): (id: number) => string {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const parentOf = new Map(profile.nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id])))
  const stageOf = new Map<number, string>()
  const stage = (id: number): string => {
    const known = stageOf.get(id)
    if (known !== undefined) return known
    const frame = byId.get(id)?.callFrame
    const rule = frame && rules.find(({ file, name }) => (file?.test(frame.url) ?? true) && (name?.test(frame.functionName) ?? true))
    const parent = parentOf.get(id)
    const found = rule?.stage ?? (parent === undefined ? REST : stage(parent))
    stageOf.set(id, found)
    return found
  }
  return stage
}

function collect({ samples, timeDeltas, startTime }: CpuProfile, window: Window, keyOf: (id: number) => string): Map<string, number> {
  const ms = new Map<string, number>()
  let atUs = startTime
  for (const [n, id] of samples.entries()) {
    // A sample holds until the next one is taken.
    atUs += timeDeltas[n] ?? 0
    const lastsUs = timeDeltas[n + 1] ?? 0
    if (atUs < window.fromUs || atUs > window.toUs) continue
    const key = keyOf(id)
    ms.set(key, (ms.get(key) ?? 0) + lastsUs / 1_000)
  }
  return ms
}

/** Stages without idling, the largest first, with their share of what is left. */
export function shares(stages: ReadonlyMap<string, number>): { readonly stage: string; readonly ms: number; readonly share: number }[] {
  const busy = [...stages].filter(([stage]) => stage !== 'idle' && stage !== '(idle)')
  const total = busy.reduce((sum, [, ms]) => sum + ms, 0)
  return busy.map(([stage, ms]) => ({ stage, ms, share: total === 0 ? 0 : ms / total })).toSorted((a, b) => b.ms - a.ms)
}
