/**
 * How far the demo is, from what anybody may hear: the outcomes in the journal. Pure; fed by watch.ts, drawn by screen.ts.
 */
import { isFinal, type Outcome, type OutcomeChunk } from '../../protocol/outcome.ts'
import type { IspMet } from '../world/behaviours-met.ts'
import type { DemoCampaign } from './campaigns.ts'

export interface IspProgress {
  readonly isp: string
  mails: number
  delivered: number
  /** ended in any other way */
  refused: number
  /** tries that were put off, not recipients */
  deferrals: number
}

export interface Progress {
  readonly isps: ReadonlyMap<string, IspProgress>
  /** every recipient's end, by campaign and address */
  readonly ends: ReadonlyMap<string, ReadonlyMap<string, Outcome>>
  readonly total: number
  readonly settled: number
  /** milliseconds from the publish to the outcome, of the urgent campaign's recipients, in the order they were heard */
  readonly urgentMs: readonly number[]
  readonly urgentTotal: number
  published(campaign: DemoCampaign, atMs: number): void
  hear(chunk: OutcomeChunk): void
}

/** The tail's boxes are shown as one row while it runs. */
export const TAIL = 'small domains'
export const rowOf = (isp: string): string => (isp.startsWith('box-') || isp === 'no-mx' || isp === 'nowhere' ? TAIL : isp)

export function openProgress(): Progress {
  const isps = new Map<string, IspProgress>()
  const ends = new Map<string, Map<string, Outcome>>()
  const ispOf = new Map<string, string>() // address → ISP
  const urgentMs: number[] = []
  let urgent: { readonly id: string; readonly atMs: number; readonly total: number } | null = null
  let total = 0
  let settled = 0
  const at = (isp: string): IspProgress => {
    const known = isps.get(isp) ?? { isp, mails: 0, delivered: 0, refused: 0, deferrals: 0 }
    isps.set(isp, known)
    return known
  }
  return {
    isps,
    ends,
    urgentMs,
    get total() {
      return total
    },
    get settled() {
      return settled
    },
    get urgentTotal() {
      return urgent?.total ?? 0
    },
    published({ id, lane, recipients }, atMs) {
      ends.set(id, new Map())
      total += recipients.length
      if (lane === 'urgent') urgent = { id, atMs, total: recipients.length }
      for (const { address, isp } of recipients) {
        ispOf.set(address, isp)
        at(isp).mails++
      }
    },
    hear({ campaign, at: time, outcomes }) {
      const known = ends.get(campaign)
      if (known === undefined) return // somebody plays with a cluster that was kept
      for (const one of outcomes) {
        const { rcpt, outcome } = one
        const counts = at(ispOf.get(rcpt) ?? 'nowhere')
        if (!isFinal(outcome)) {
          counts.deferrals++
          continue
        }
        if (known.has(rcpt)) continue // the first one counts
        known.set(rcpt, one)
        settled++
        if (outcome === 'delivered') counts.delivered++
        else counts.refused++
        if (campaign === urgent?.id) urgentMs.push(Date.parse(time) - urgent.atMs)
      }
    },
  }
}

/** Behaviours that showed themselves, of those that should: a limit that nobody overstepped is none of them. */
export function metOf(isps: readonly IspMet[]): { readonly met: number; readonly all: number } {
  const due = isps.flatMap(({ behaviours }) => behaviours.filter(({ provokedBy, met }) => provokedBy !== 'excess' || met > 0))
  return { met: due.filter(({ met }) => met > 0).length, all: due.length }
}
