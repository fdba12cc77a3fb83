/** The sender's pen against a real server whose answers get lost. */
import { beforeAll, describe, expect, it } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { fullMask } from '../../protocol/mask.ts'
import type { Batch, Order } from '../../protocol/messages/mail.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { DEFAULT_RETRY } from '../../protocol/retry.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { Infrastructure } from '../../services/runtime/errors.ts'
import { Journal } from '../../services/sender/journal.ts'
import { openWork, type Work } from '../../services/sender/state.ts'
import { gather, natsForFile, text, withFaults } from '../kit/bus.ts'

const here = natsForFile()
beforeAll(() => here.bus.ensureStreams(STREAMS))

let count = 0
async function claimedWork(campaign: string): Promise<Work> {
  const batchSeq = ++count
  const on = subject('claim', { tenant: 'acme', campaign, batch: batchSeq })
  const claim = await here.bus.store(on, encode({ attempt: 0, order: 1, sender: 'a', mask: fullMask(5) }), { rollup: true, expect: { seq: 0 } })
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

function delivered(n: number): Outcome {
  const blank = { ref: null, enhanced: null, reply: 'ok', mx: null, ip: null, ms: 1, site: 'example.jp' }
  return { n, rcpt: `r${n}@example.jp`, outcome: 'delivered', stage: 'dot', code: 250, class: 'delivered', blames: 'nobody', ...blank }
}

const journalOn = (bus: Bus) => new Journal({ bus, mono: () => performance.now(), wall: Date.now, onTrouble: () => {} })

async function journalled(campaign: string): Promise<string[]> {
  const chunks = await gather(here.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign })))
  return chunks.flatMap(({ body }) => {
    const { batch, outcomes } = JSON.parse(text(body)) as OutcomeChunk
    return outcomes.map(({ n }) => `${batch}/${n}`)
  })
}

/** The real bus; `lose` makes one call's answer get lost on its way. */
function lossy(lose: Partial<Pick<Bus, 'store' | 'storeAll' | 'readLast'>>): Bus {
  return withFaults(here.bus, lose)
}
const cut = () => new Infrastructure('cut', 'the connection broke')

describe('the journal', () => {
  it('writes nothing twice when the answer to a round and then the look-up are lost', async () => {
    let rounds = 0
    let lookUps = 0
    const journal = journalOn(
      lossy({
        async storeAll(entries) {
          const stored = await here.bus.storeAll(entries)
          return rounds++ === 0 ? { kind: 'unknown', because: 'cut', batchId: '' } : stored
        },
        async readLast(stream, on) {
          lookUps++
          if (lookUps === 2 || lookUps === 3) throw cut() // NATS is away again: the first chunk is known, the others are not
          return here.bus.readLast(stream, on)
        },
      }),
    )
    const works = await Promise.all([1, 2, 3].map(() => claimedWork('twice')))
    for (const work of works) for (const n of [0, 1]) journal.add(work, delivered(n))
    await Promise.all(works.map((work) => journal.settled(work)))
    expect(works.map(({ unconfirmed }) => unconfirmed)).toEqual([0, 0, 0])
    expect((await journalled('twice')).sort()).toEqual(works.flatMap(({ batchSeq }) => [`${batchSeq}/0`, `${batchSeq}/1`]).sort())
    await journal.close()
  })

  it('writes one by one what a refused round held, once each, though one answer is lost', async () => {
    let writes = 0
    const thirdMayGo = Promise.withResolvers<void>()
    setTimeout(thirdMayGo.resolve, 250)
    const journal = journalOn(
      lossy({
        async store(on, body, options) {
          const which = ++writes
          if (which === 3) await thirdMayGo.promise // still on its way when the second is given up
          const stored = await here.bus.store(on, body, options)
          if (which === 2) throw cut() // stored, unheard of
          return stored
        },
      }),
    )
    const works = await Promise.all([1, 2, 3].map(() => claimedWork('single')))
    const [stolen] = works as [Work]
    const on = subject('claim', { tenant: 'acme', campaign: 'single', batch: stolen.batchSeq })
    await here.bus.store(on, encode({ attempt: 0, order: 1, sender: 'b', mask: fullMask(5) }), { rollup: true, expect: { seq: stolen.claimSeq } })
    for (const work of works) journal.add(work, delivered(0))
    expect(await Promise.all(works.map((work) => journal.settled(work)))).toEqual(['lost', 'durable', 'durable'])
    await thirdMayGo.promise
    await here.bus.flush()
    expect((await journalled('single')).sort()).toEqual(works.slice(1).map(({ batchSeq }) => `${batchSeq}/0`))
    await journal.close()
  })
})
