import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import type { Bus, Follow, StoredMessage } from '../runtime/bus/types.ts'
import type { Seen, SeenChunk } from './policy/observe.ts'

const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

/** The journal from behind `position`, read for ever. */
export function followOutcomes(bus: Bus, position: number): Follow {
  return bus.follow(STREAM.outcomes, [wildcard('outcome')], { fromSeq: position + 1 })
}

/**
 * The part of a chunk that concerns sources: outcomes that left from an IP. Throws on what is no chunk.
 * NOTE: not the whole schema of protocol/outcome: that would cost more than all decisions, and the sender has just written it by that schema.
 */
export function readChunk({ body, seq, at }: Pick<StoredMessage, 'body' | 'seq' | 'at'>): SeenChunk {
  const chunk = JSON.parse(fromUtf8.decode(body)) as { readonly tenant: unknown; readonly outcomes: unknown }
  if (typeof chunk.tenant !== 'string' || !Array.isArray(chunk.outcomes)) throw new Error('it has no tenant or no outcomes')
  return { seq, at, tenant: chunk.tenant, seen: chunk.outcomes.flatMap(readOutcome) }
}

type Written = Partial<Record<keyof Seen, unknown>> & { readonly code?: unknown; readonly enhanced?: unknown }

function readOutcome(outcome: Written): Seen[] {
  const { ip, site, rule = null, stage = null } = outcome
  if (typeof ip !== 'string' || typeof site !== 'string') return []
  const reply = [outcome.code, outcome.enhanced, outcome.reply].filter((part) => part !== null && part !== undefined).join(' ')
  return [
    {
      ip,
      site,
      outcome: String(outcome.outcome),
      class: outcome.class as Seen['class'],
      blames: outcome.blames as Seen['blames'],
      stage: stage as Seen['stage'],
      reply: reply === '' ? null : reply.slice(0, REPLY_CHARACTERS),
      ...(typeof outcome.seenAs === 'string' && { seenAs: outcome.seenAs }),
      rule: rule as Seen['rule'],
    },
  ]
}

/** A reply is evidence in an event, not an archive. */
const REPLY_CHARACTERS = 300
