/**
 * Watches a campaign from outside, as any program could: the journal's outcomes, `campaign.status`, `isp.status`, and the far end's own record.
 */
import { decodePublic } from '../../protocol/codec.ts'
import { type CampaignStatus, UNDER_WAY } from '../../protocol/messages/campaign.ts'
import type { IspStatus } from '../../protocol/messages/ops.ts'
import { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { TENANT } from './fleet.ts'
import { metOf, type Progress } from './progress.ts'
import type { View } from './screen.ts'
import type { WorldProcess } from './world-process.ts'

export interface Watch extends Disposable {
  view(): View
  /** asks the cluster and the world anew, twice a second at most; what does not answer leaves the last answer standing */
  ask(ids: readonly string[]): Promise<readonly CampaignStatus[]>
}

const ANSWER_WITHIN_MS = 1_000
/** The cores are busy with the mail itself. */
const ASK_EVERY_MS = 500
const RATE_OVER_MS = 2_000
const WAITING_SHOWN = 3

export function watchDemo(bus: Bus, world: WorldProcess, progress: Progress, beganMs: number): Watch {
  const follow = bus.follow(STREAM.outcomes, [wildcard('outcome', { tenant: TENANT })])
  void hearAll(follow, progress)
  const settled: { atMs: number; count: number }[] = []
  let sessions: ReadonlyMap<string, number> = new Map()
  let met: View['met'] = new Map()
  let waitingFor: readonly string[] = []
  let last: readonly CampaignStatus[] = []
  let askedMs = Number.NEGATIVE_INFINITY

  const ask = async <T>(on: string): Promise<T | null> => {
    const answer = await bus.ask(on, new Uint8Array(), { timeoutMs: ANSWER_WITHIN_MS })
    if (answer.kind !== 'answer') return null
    const read = decodePublic(answer.body)
    return read.kind === 'read' && typeof read.body === 'object' && read.body !== null && !('error' in read.body) ? (read.body as T) : null
  }
  const status = (id: string) => ask<CampaignStatus>(subject('campaignStatus', { tenant: TENANT, id }))
  return {
    view() {
      const now = performance.now()
      settled.push({ atMs: now, count: progress.settled })
      while (settled.length > 2 && now - (settled[0]?.atMs ?? now) > RATE_OVER_MS) settled.shift()
      const first = settled[0] ?? { atMs: now, count: 0 }
      const perS = now > first.atMs ? ((progress.settled - first.count) * 1_000) / (now - first.atMs) : 0
      return { elapsedMs: now - beganMs, progress, perS, sessions, met, waitingFor }
    },
    async ask(ids) {
      const now = performance.now()
      if (now - askedMs < ASK_EVERY_MS) return last
      askedMs = now
      const [isps, far, ...statuses] = await Promise.all([ask<IspStatus>(subject('ispStatus', {})), world.isps(), ...ids.map(status)])
      if (isps !== null) sessions = new Map(isps.sites.map(({ site, ips }) => [site, ips.reduce((sum, { open }) => sum + open, 0)]))
      met = new Map(far.isps.map((one) => [one.isp, metOf([one])]))
      last = statuses.filter((one) => one !== null)
      waitingFor = last
        .flatMap((one) => (one.state === 'unknown' ? [] : one.waitingFor)) // an id not yet taken answers nothing else
        .filter(({ because }) => because !== UNDER_WAY)
        .toSorted((a, b) => b.count - a.count)
        .slice(0, WAITING_SHOWN)
        .map(({ site, count, because }) => `${site} (${count}: ${because})`)
      return last
    },
    [Symbol.dispose]: () => follow.close(),
  }
}

async function hearAll(chunks: AsyncIterable<{ readonly body: Uint8Array }>, progress: Progress): Promise<void> {
  for await (const { body } of chunks) progress.hear(OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(body))))
}
