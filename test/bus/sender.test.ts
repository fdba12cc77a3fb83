/** A real sender process under a router of the test's own: leases, claims, outcomes, and what happens when either is gone. */
import { describe, expect, it } from 'vitest'
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { SourceChanged } from '../../protocol/messages/permission.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { purgeNode } from '../../services/runtime/liveness.ts'
import { until } from '../kit/bus.ts'
import { IP, people } from '../kit/sender-forms.ts'
import { labForFile } from '../kit/sender-lab.ts'

const here = labForFile()

describe('a sender', () => {
  it('sends an order to exactly its recipients, tells the outcomes, and lets go of order and batch', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed(people('a', 30))
    await here.lab.granted(id, here.lab.lease(), [job.held])
    await until('the order is acked', () => here.lab.isGone(job), 10_000)
    expect(here.lab.copies(job.addresses)).toEqual(job.addresses.map(() => 1))
    expect((await here.lab.outcomes(job)).map(({ rcpt, outcome }) => `${rcpt} ${outcome}`).sort()).toEqual(
      job.addresses.map((rcpt) => `${rcpt} delivered`).sort(),
    )
    expect(await here.bus.readSeq(STREAM.mail, job.batch)).toBeNull()
  })

  it('writes one retry order for all it could not deliver', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed([...people('r', 5), 'defer-451-x3@gmail.com', 'unknown@gmail.com'])
    await here.lab.granted(id, here.lab.lease(), [job.held])
    await until('the order is acked', () => here.lab.isGone(job), 10_000)
    const waiting = await here.lab.waitingOrders(job.campaign)
    expect(waiting.map(({ count: recipients, attempt, batch }) => ({ recipients, attempt, batch }))).toEqual([{ recipients: 1, attempt: 1, batch: job.batch }])
    expect((await here.lab.outcomes(job)).map(({ outcome }) => outcome).sort()).toEqual(
      ['bounced', 'deferred', ...job.addresses.slice(0, 5).map(() => 'delivered')].sort(),
    )
  })

  it('writes envelopes ahead where the lease says so, and each recipient gets its own outcome all the same', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed([...people('w', 30), 'unknown@gmail.com', ...people('x', 30), 'defer-451-x2@gmail.com', ...people('y', 30)])
    const ahead = here.lab.lease({ sessions: 2 })
    await here.lab.granted(id, { ...ahead, terms: { ...ahead.terms, ahead: 'always', mailsPerSession: 17 } }, [job.held])
    await until('the order is acked', () => here.lab.isGone(job), 10_000)
    const good = job.addresses.filter((address) => address.startsWith('ok+'))
    expect(here.lab.copies(good)).toEqual(good.map(() => 1))
    // Each mail with an envelope of its own (DECISIONS.md), ahead or not.
    expect(here.lab.stored().some(({ stored }) => stored >= 90)).toBe(true)
    expect(here.lab.stored().filter(({ stored, rcpts }) => rcpts !== stored)).toEqual([])
    const told = await here.lab.outcomes(job)
    expect(told.map(({ rcpt }) => rcpt).sort()).toEqual([...job.addresses].sort())
    expect(
      told
        .filter(({ outcome }) => outcome !== 'delivered')
        .map(({ rcpt, outcome }) => `${rcpt} ${outcome}`)
        .sort(),
    ).toEqual(['defer-451-x2@gmail.com deferred', 'unknown@gmail.com bounced'])
  })

  it('hands a batch over by its claim when it is killed: nobody is missed, and who had no outcome is flagged', async () => {
    const [first, second] = [await here.lab.startSender(), await here.lab.startSender()]
    const job = await here.lab.placed(people('k', 60))
    await here.lab.granted(first.id, here.lab.lease({ pacePerS: 25 }), [job.held])
    await until('a third has arrived', () => here.lab.arrived(job.addresses) >= 20, 10_000)
    await here.lab.killed(first.child)
    await purgeNode(openBucket(here.bus, 'owners'), 'sender', first.id)
    const told = new Set((await here.lab.outcomes(job)).map(({ rcpt }) => rcpt))
    await here.lab.granted(second.id, here.lab.lease(), [await job.again()])
    await until('the order is acked', () => here.lab.isGone(job), 15_000)

    const all = await here.lab.outcomes(job)
    expect(all.map(({ rcpt }) => rcpt).sort()).toEqual([...job.addresses].sort())
    expect(all.filter(({ rcpt }) => !told.has(rcpt)).every(({ mayBeDuplicate }) => mayBeDuplicate === true)).toBe(true)
    expect(all.filter(({ rcpt }) => told.has(rcpt)).some(({ mayBeDuplicate }) => mayBeDuplicate === true)).toBe(false)
    expect(job.addresses.filter((rcpt) => (here.lab.copies([rcpt])[0] as number) > 1 && told.has(rcpt))).toEqual([])
    expect(here.lab.arrived(job.addresses)).toBe(60)
  })

  it("says +WPI for what it holds at a third of its lane's ack_wait", async () => {
    const { id } = await here.lab.aSender()
    const [urgent, bulk] = [await here.lab.placed(people('u', 100), { lane: 'urgent' }), await here.lab.placed(people('b', 100))]
    const said: string[] = []
    using _urgent = here.bus.hear(urgent.held.ackSubject, () => said.push('urgent'))
    using _bulk = here.bus.hear(bulk.held.ackSubject, () => said.push('bulk'))
    await here.lab.granted(id, here.lab.lease({ pacePerS: 10 }), [urgent.held, bulk.held])
    await until('the bulk order has its first', () => said.includes('bulk'), 8_000)
    expect(said.filter((lane) => lane === 'urgent').length).toBeGreaterThanOrEqual(2)
    await until('the bulk order has its second', () => said.filter((lane) => lane === 'bulk').length === 2, 8_000)
    expect(said.filter((lane) => lane === 'urgent').length).toBeGreaterThanOrEqual(6)
  })

  it('cannot journal under a claim that was taken over while it was stopped', async () => {
    const [zombie, other] = [await here.lab.startSender(), await here.lab.startSender()]
    const job = await here.lab.placed(people('z', 40))
    await here.lab.granted(zombie.id, here.lab.lease({ pacePerS: 10 }), [job.held])
    await until('some have arrived', () => here.lab.arrived(job.addresses) >= 8, 10_000)
    zombie.child.kill('SIGSTOP')
    here.lab.renewNothing()
    const { incarnation } = decode<{ incarnation: string }>((await openBucket(here.bus, 'owners').get(KEYS.node('sender', zombie.id)))?.value ?? encode({}))
    await until('its node key has run out', async () => (await openBucket(here.bus, 'owners').get(KEYS.node('sender', zombie.id))) === null, 8_000)
    expect(incarnation).toBeDefined()
    await here.lab.granted(other.id, here.lab.lease(), [await job.again()])
    await until('the other has finished', () => here.lab.isGone(job), 15_000)
    zombie.child.kill('SIGCONT')
    await until('the zombie is back', async () => (await openBucket(here.bus, 'owners').get(KEYS.node('sender', zombie.id))) !== null, 8_000)
    // It says that it has let go of everything: what it had to write it has tried to write.
    await until('the zombie holds nothing', async () => (await here.lab.holdings(zombie.id)).leases.length === 0, 8_000)
    const all = await here.lab.outcomes(job)
    expect(all.map(({ rcpt }) => rcpt).sort()).toEqual([...job.addresses].sort())
    expect(await here.lab.waitingOrders(job.campaign)).toEqual([])
  })

  it('starts no transaction once nobody has renewed its lease for 4 s', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed(people('e', 100))
    await here.lab.granted(id, here.lab.lease({ pacePerS: 10 }), [job.held], 'as-it-is')
    const grantedAt = performance.now()
    await until('the lease has ended', async () => (await here.lab.holdings(id)).leases.length === 0, 10_000)
    expect(performance.now() - grantedAt).toBeLessThan(5_500)
    const then = here.lab.arrived(job.addresses)
    expect(then).toBeLessThanOrEqual(42)
    await until('the rest is back', async () => (await here.lab.waitingOrders(job.campaign)).length === 1)
    expect(here.lab.arrived(job.addresses)).toBe(then)
    const [rest] = await here.lab.waitingOrders(job.campaign)
    expect(rest).toMatchObject({ attempt: 1, count: 100 - then })
    expect(await here.lab.isGone(job)).toBe(true)
  })

  it("starts no more transactions than today's ramp has left, though several sessions ask at once", async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed(people('ramp', 30))
    await here.lab.granted(id, here.lab.lease({ budget: 3 }), [job.held], 'as-it-is')
    await until('the rest is back', async () => (await here.lab.waitingOrders(job.campaign)).length === 1, 8_000)
    expect(here.lab.arrived(job.addresses)).toBe(3)
    expect((await here.lab.waitingOrders(job.campaign))[0]).toMatchObject({ count: 27 })
  })

  it('starts no transaction from a source a second after the ip-manager held it back', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed(people('h', 100))
    const given = await here.lab.granted(id, here.lab.lease({ pacePerS: 20 }), [job.held])
    await until('it sends', () => here.lab.arrived(job.addresses) > 3)
    here.bus.say(subject('sourceChanged', {}), encode({ epoch: 1, ip: IP, site: null, lends: false, because: 'by hand', until: null } satisfies SourceChanged))
    await until('the rest is back', async () => (await here.lab.waitingOrders(job.campaign)).length === 1, 1_000)
    const then = here.lab.arrived(job.addresses)
    expect((await here.lab.waitingOrders(job.campaign))[0]).toMatchObject({ count: 100 - then, attempt: 1 })
    const other = await here.lab.placed(people('other', 1))
    expect(await here.lab.refusal(id, here.lab.lease(), [other.held])).toBe('source-held')
    here.bus.say(subject('sourceChanged', {}), encode({ epoch: 1, ip: IP, site: null, lends: true, because: 'by hand', until: null } satisfies SourceChanged))
    await here.lab.granted(id, here.lab.lease(), [other.held])
    await until('it sends again', () => here.lab.isGone(other))
    expect(here.lab.arrived(job.addresses)).toBe(then)
    expect(given.ip).toBe(IP)
  })

  it('refuses an older epoch and a tick that was long on the way', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed(people('s', 1))
    expect(await here.lab.refusal(id, here.lab.lease({ epoch: here.lab.epoch - 1 }), [job.held])).toBe('stale-epoch')
    const old = here.lab.seen.get(id)?.tick ?? 0
    await until('a second later', () => (here.lab.seen.get(id)?.tick ?? 0) - old > 1_500)
    expect(await here.lab.grant(id, here.lab.lease(), [job.held], old)).toEqual({ kind: 'refused', because: 'stale-tick' })
    expect(here.lab.arrived(job.addresses)).toBe(0)
  })

  it('brings back the mail of a campaign that is paused, also when it starts while one is', async () => {
    const job = await here.lab.placed(people('p', 60))
    const key = KEYS.held('acme', job.campaign)
    const other = await here.lab.placed(people('q', 1))
    await openBucket(here.bus, 'campaigns').put(KEYS.held('acme', other.campaign), encode({ state: 'paused' }))
    const { id } = await here.lab.startSender()
    await here.lab.granted(id, here.lab.lease({ pacePerS: 20 }), [job.held, other.held])
    await until('it sends', () => here.lab.arrived(job.addresses) > 3)
    await openBucket(here.bus, 'campaigns').put(key, encode({ state: 'paused' }))
    await until('the rest is back', async () => (await here.lab.waitingOrders(job.campaign)).length === 1, 2_000)
    expect((await here.lab.waitingOrders(job.campaign))[0]).toMatchObject({ count: 60 - here.lab.arrived(job.addresses), attempt: 1 })
    // What nobody had begun comes back as it is.
    await until('the other order is back', () => here.lab.isGone(other))
    expect((await here.lab.waitingOrders(other.campaign))[0]).toMatchObject({ count: 1, attempt: 0, id: other.held.seq, batch: other.batch })
    expect(here.lab.arrived(other.addresses)).toBe(0)
  })
})
