/** The sender's pen against a real server whose answers get lost. */
import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { fullMask } from '../../protocol/mask.ts'
import type { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { Infrastructure } from '../../services/runtime/errors.ts'
import { Journal } from '../../services/sender/journal.ts'
import type { Work } from '../../services/sender/state.ts'
import { gather, listeningLog, natsForFile, text, until, withFaults } from '../kit/bus.ts'
import { claimedWork, delivered } from '../kit/claimed-work.ts'
import { startNats } from '../kit/nats.ts'

const here = natsForFile()
beforeAll(() => here.bus.ensureStreams(STREAMS))

const journalOn = (bus: Bus) => new Journal({ bus, mono: () => performance.now(), wall: Date.now, onTrouble: () => {} })

async function journalled(campaign: string, bus: Bus = here.bus): Promise<string[]> {
  const chunks = await gather(bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign })))
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
  it('lets the outcomes of an order leave together while it is being worked on, for a while; at once when it is done or somebody waits', async () => {
    let ms = 0
    const journal = new Journal({ bus: here.bus, mono: () => ms, wall: Date.now, onTrouble: () => {} })
    const chunks = async () => (await gather(here.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign: 'together' })))).length
    const [slow, done, asked] = (await Promise.all([1, 2, 3].map(() => claimedWork(here.bus, 'together')))) as [Work, Work, Work]
    journal.add(slow, delivered(0))
    done.open.clear()
    journal.add(done, delivered(0))
    await until('the one that is done', () => done.unconfirmed === 0)
    const { rounds } = journal
    await until('more rounds', () => journal.rounds > rounds + 1)
    expect([slow.unconfirmed, await chunks()]).toEqual([1, 1])
    journal.add(slow, delivered(1))
    ms = 100
    await until('both', () => slow.unconfirmed === 0)
    expect(await chunks()).toBe(2)
    journal.add(asked, delivered(0))
    expect(await journal.settled(asked)).toBe('durable')
    journal.add(asked, delivered(1))
    await journal.close()
    expect([asked.unconfirmed, await chunks()]).toEqual([0, 4])
  })

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
    const works = await Promise.all([1, 2, 3].map(() => claimedWork(here.bus, 'twice')))
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
    const works = await Promise.all([1, 2, 3].map(() => claimedWork(here.bus, 'single')))
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

  it('loses nothing and doubles nothing over kills of the server', { timeout: 60_000 }, async () => {
    await using nats = await startNats()
    await using bus = await connectBus({ url: nats.url, name: 'journal', log: listeningLog() })
    await bus.ensureStreams(STREAMS)
    const works: Work[] = []
    let troubles = 0
    let onRound: (() => Promise<void>) | null = null
    /** The server dies while a round is on its way. */
    const during = async <T>(sent: Promise<T>): Promise<T> => {
      const kill = onRound
      onRound = null
      await kill?.()
      return sent
    }
    const mortal = withFaults(bus, {
      storeAll: (entries) => during(bus.storeAll(entries)),
      store: (on, body, options) => during(bus.store(on, body, options)),
    })
    const journal = new Journal({ bus: mortal, mono: () => performance.now(), wall: Date.now, onTrouble: () => void troubles++ })
    for (let kills = 0; kills < 6; kills++) {
      for (let n = 0; n < 20; n++) works.push(await claimedWork(bus, 'killed'))
      const young = works.slice(-20)
      const killed = new Promise<void>((resolve, reject) => {
        onRound = async () => {
          for (let turns = 0; turns < kills; turns++) await turn() // at another moment of the round each time, the first surely within it
          await nats.kill().then(resolve, reject)
        }
      })
      for (const work of young) for (let n = 0; n < 5; n++) journal.add(work, delivered(n))
      await killed
      await nats.start()
      await Promise.all(young.map((work) => journal.settled(work)))
    }
    await journal.close()
    expect(troubles).toBeGreaterThan(0) // the round whose server is gone is in trouble
    expect((await journalled('killed', bus)).sort()).toEqual(works.flatMap(({ batchSeq }) => [0, 1, 2, 3, 4].map((n) => `${batchSeq}/${n}`)).sort())
  })
})
