/** What a sender holds when it has claimed a batch of five, as its journal needs it. */
import { encode } from '../../protocol/codec.ts'
import { fullMask } from '../../protocol/mask.ts'
import type { Batch, Order } from '../../protocol/messages/mail.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { DEFAULT_RETRY } from '../../protocol/retry.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { openWork, type Work } from '../../services/sender/state.ts'

let count = 0
export async function claimedWork(bus: Bus, campaign: string): Promise<Work> {
  const batchSeq = ++count
  const on = subject('claim', { tenant: 'acme', campaign, batch: batchSeq })
  const claim = await bus.store(on, encode({ attempt: 0, order: 1, sender: 'a', mask: fullMask(5) }), { rollup: true, expect: { seq: 0 } })
  if (claim.kind !== 'stored') throw new Error(claim.message)
  const recipients = Array.from({ length: 5 }, (_, n) => ({ address: `r${n}@example.jp`, name: null, ref: null, vars: null }))
  const names = { tenant: 'acme', campaign, kind: 'notice', site: 'example.jp', provider: null } as const
  const batch: Batch = { v: 1, ...names, shard: 't01', content: 'c', first: 0, recipients }
  const order: Order = { v: 1, ...names, lane: 'bulk', pool: 'p', batch: batchSeq, mask: fullMask(5), count: 5, attempt: 0, deadline: Date.now() + 86_400_000 }
  const held = { order, seq: 1, ackSubject: 'x' }
  return openWork({
    held,
    batchSeq,
    batch,
    claimSeq: claim.seq,
    maybe: new Uint8Array(0),
    prior: [],
    now: 0,
    dice: () => 0.5,
    policy: DEFAULT_RETRY,
    ratePace: null,
  })
}

export function delivered(n: number): Outcome {
  const blank = { ref: null, enhanced: null, reply: 'ok', mx: null, ip: null, ms: 1, site: 'example.jp' }
  return { n, rcpt: `r${n}@example.jp`, outcome: 'delivered', stage: 'dot', code: 250, class: 'delivered', blames: 'nobody', ...blank }
}
