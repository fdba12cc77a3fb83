/** One campaign through a cluster whose actors write V8 profiles; the senders' are read. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cell } from '../cells.ts'
import type { Surroundings } from '../contender.ts'
import { startHato } from '../contenders/hato.ts'
import { attribute, byFunction, type CpuProfile, STAGES, type Window } from './attribution.ts'
import { type CpuTime, cpuTime } from './cpu.ts'

const CELL: Cell = { bodyKb: 10, dkim: 'rsa-2048' }
const MAILS = { quick: 10_000, full: 30_000 } as const
/** compiled code and open sessions, before the window begins */
const WARM_UP_MAILS = 1_000
/** V8 samples each millisecond otherwise, and costs more than it tells */
const INTERVAL_US = 1_000

export interface Profiled {
  readonly cell: Cell
  readonly mails: number
  readonly tookMs: number
  /** CPU in the window, by process */
  readonly processes: readonly { readonly name: string; readonly cpu: CpuTime }[]
  /** sampled milliseconds, all senders together */
  readonly stages: readonly (readonly [stage: string, ms: number])[]
  readonly functions: readonly (readonly [name: string, ms: number])[]
}

export async function profile(surroundings: Surroundings, dir: string): Promise<Profiled> {
  const { say, pace } = surroundings
  const mails = MAILS[pace]
  await mkdir(dir, { recursive: true })
  const measured = await run(surroundings, dir, mails)
  say('reading the profiles')
  const stages = new Map<string, number>()
  const functions = new Map<string, number>()
  const files = await readdir(dir)
  for (const pid of measured.senders) {
    const file = files.find((name) => name.split('.').includes(String(pid)))
    if (file === undefined) throw new Error(`sender ${pid} left no profile: ${files.join(', ') || 'there is none at all'}`)
    const found = JSON.parse(await readFile(join(dir, file), 'utf8')) as CpuProfile
    add(stages, attribute(found, STAGES, measured.window))
    add(functions, byFunction(found, measured.window))
  }
  const { tookMs, processes } = measured
  return { cell: CELL, mails, tookMs, processes, stages: [...stages], functions: [...functions] }
}

function add(to: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [key, ms] of more) to.set(key, (to.get(key) ?? 0) + ms)
}

async function run(surroundings: Surroundings, dir: string, mails: number) {
  surroundings.say('starting the cluster')
  // NOTE: a profile is written when its process ends, so the cluster is disposed before anything is read.
  await using hato = await startHato(surroundings, { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${dir} --cpu-prof-interval=${INTERVAL_US}` })
  const { nats, actors } = hato.state()
  const watched = [
    ...actors.flatMap(({ role, number, pid }) => (pid === null ? [] : [{ name: role === 'sender' ? `sender ${number}` : role, pid }])),
    ...(nats?.pid ? [{ name: 'nats-server', pid: nats.pid }] : []),
  ]
  await hato.send(CELL, WARM_UP_MAILS)
  surroundings.say(`sending ${mails} mails`)
  const before = await Promise.all(watched.map(({ pid }) => cpuTime(pid)))
  const fromUs = nowUs()
  const { beganMs, finishedMs } = await hato.send(CELL, mails)
  const window: Window = { fromUs, toUs: nowUs() }
  const after = await Promise.all(watched.map(({ pid }) => cpuTime(pid)))
  const processes = watched.map(({ name }, at) => ({
    name,
    cpu: { allMs: (after[at]?.allMs ?? 0) - (before[at]?.allMs ?? 0), mainMs: (after[at]?.mainMs ?? 0) - (before[at]?.mainMs ?? 0) },
  }))
  const senders = actors.flatMap(({ role, pid }) => (role === 'sender' && pid !== null ? [pid] : []))
  return { senders, window, processes, tookMs: (finishedMs ?? 0) - beganMs }
}

const nowUs = () => Number(process.hrtime.bigint() / 1_000n)
