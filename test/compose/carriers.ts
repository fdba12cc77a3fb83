import type { NatsConnection } from 'nats'
import { decode } from '../../protocol/codec.ts'
import type { Claim } from '../../protocol/messages/mail.ts'
import { isFinal, OutcomeChunk } from '../../protocol/outcome.ts'
import { readSubject, wildcard } from '../../protocol/subjects.ts'
import { openListeners } from './until.ts'

/** What became of all recipients, and by whose hands: a chunk of outcomes is the work of whoever claimed its batch last. */
export interface Carriers {
  /** recipients settled, of one campaign or of all */
  settled(campaign?: string): number
  delivered(campaign: string): ReadonlySet<string>
  /** recipients delivered, by the sender's container */
  by(container: string): number
  until(what: string, holds: () => boolean, withinMs: number): Promise<void>
}

export function watchCarriers(nats: NatsConnection): Carriers {
  const holders = new Map<number, string>()
  const settled = new Map<string, Set<string>>()
  const delivered = new Map<string, Set<string>>()
  const counts = new Map<string, number>()
  const { ask, until } = openListeners()

  nats.subscribe(wildcard('claim'), {
    callback: (_, { subject, data }) => {
      const batch = Number(readSubject('claim', subject)?.batch)
      // A purged claim has no body.
      if (data.length > 0) holders.set(batch, decode<Claim>(data).sender)
    },
  })
  nats.subscribe(wildcard('outcome'), {
    callback: (_, { data }) => {
      const { campaign, batch, outcomes } = OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(data)))
      const container = holders.get(batch)?.split('-')[0] ?? ''
      for (const { rcpt, outcome } of outcomes) {
        if (isFinal(outcome)) setOf(settled, campaign).add(rcpt)
        if (outcome !== 'delivered' || setOf(delivered, campaign).has(rcpt)) continue
        setOf(delivered, campaign).add(rcpt)
        counts.set(container, (counts.get(container) ?? 0) + 1)
      }
      ask()
    },
  })
  const count = (campaign?: string) => (campaign === undefined ? [...settled.values()].reduce((sum, set) => sum + set.size, 0) : setOf(settled, campaign).size)
  return {
    settled: count,
    delivered: (campaign) => setOf(delivered, campaign),
    by: (container) => counts.get(container) ?? 0,
    until: (what, holds, withinMs) =>
      until(what, holds, withinMs, () => `${count()} settled; delivered by container: ${[...counts].map((pair) => pair.join(' ')).join(', ')}`),
  }
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key) ?? new Set()
  sets.set(key, known)
  return known
}
