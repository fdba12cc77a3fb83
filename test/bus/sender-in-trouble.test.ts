/** A real sender process whose content, peer, NATS or own time goes away. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { natsForFile, until } from '../kit/bus.ts'
import { people, SenderLab } from '../kit/sender-lab.ts'

const here = natsForFile()
let lab: SenderLab
beforeAll(async () => {
  lab = await SenderLab.open(here)
}, 30_000)
afterEach(() => lab.rest())
afterAll(() => lab?.[Symbol.asyncDispose]())

describe('a sender in trouble', () => {
  it('outlives content that somebody took away: its mails bounce, the others go on', async () => {
    const { id, child } = await lab.aSender()
    const [gone, job] = [await lab.placed(people('gone', 3), {}, 'content/acme/gone/1'), await lab.placed(people('stays', 3))]
    await lab.granted(id, lab.lease(), [gone.held, job.held])
    await until('both orders are acked', async () => (await lab.isGone(gone)) && (await lab.isGone(job)), 10_000)
    expect(new Set((await lab.outcomes(gone)).map((outcome) => `${outcome.outcome} ${outcome.class} ${outcome.blames}`))).toEqual(
      new Set(['bounced content content']),
    )
    expect(lab.copies(job.addresses)).toEqual([1, 1, 1])
    expect(child.exitCode).toBeNull()
  })

  it('answers while every address of its site has the sessions that it bears', async () => {
    const { id } = await lab.aSender()
    const job = await lab.placed(['drop-at-rcpt@gmail.com', ...people('few', 40)])
    const { terms } = lab.lease()
    await lab.granted(id, lab.lease({ terms: { ...terms, sessionsPerAddress: 1, mailsPerSession: 3 } }), [job.held])
    let worstMs = 0
    await until(
      'the order is acked',
      async () => {
        const asked = performance.now()
        await lab.holdings(id)
        worstMs = Math.max(worstMs, performance.now() - asked)
        return lab.isGone(job)
      },
      20_000,
    )
    expect(worstMs).toBeLessThan(1_000)
    expect(lab.copies(job.addresses.slice(1))).toEqual(job.addresses.slice(1).map(() => 1))
  })

  it('opens another session for a mail that comes while the first one waits for a slow peer', async () => {
    const { id } = await lab.aSender()
    const [slow, quick] = [await lab.placed(['slow-8s@gmail.com']), await lab.placed(people('quick', 1))]
    const given = await lab.granted(id, lab.lease(), [slow.held])
    await until('the slow one is under way', async () => (await lab.holdings(id)).leases.some(({ open }) => open === 1))
    await lab.granted(id, given, [quick.held])
    await until('the quick one is through', () => lab.isGone(quick), 4_000)
    expect(await lab.isGone(slow)).toBe(false)
  })

  it('lives through 12 s without NATS in the middle of its work: nothing is missed, and what it knew is told once', async () => {
    const { id, child } = await lab.aSender()
    const [job, queued] = [await lab.placed(people('out', 60)), await lab.placed(people('queued', 5))]
    const claimed = async () => (await lab.outcomes(job)).length > 0
    await lab.granted(id, lab.lease({ pacePerS: 20, sessions: 2 }), [job.held, queued.held])
    await until('it sends and tells', async () => lab.arrived(job.addresses) > 10 && (await claimed()))
    await here.nats.kill()
    lab.renewNothing()
    await new Promise((resolve) => setTimeout(resolve, 12_000)) // an outage has no event: longer than every wait inside
    const then = lab.arrived(job.addresses)
    await here.nats.start()
    await until('the rest is back', async () => (await lab.waitingOrders(job.campaign)).length === 1, 15_000)
    expect(child.exitCode).toBeNull()
    const told = (await lab.outcomes(job)).map(({ rcpt }) => rcpt)
    expect(new Set(told).size).toBe(told.length)
    expect(told.length).toBe(then)
    expect((await lab.waitingOrders(job.campaign))[0]).toMatchObject({ attempt: 1, count: 60 - then })
    expect(lab.copies(job.addresses).every((count) => count <= 1)).toBe(true)
    expect(lab.arrived(queued.addresses)).toBe(0)
    const again = await lab.placed(people('after', 3))
    await lab.granted(id, lab.lease(), [again.held])
    await until('it works again', () => lab.isGone(again), 10_000)
  })

  it('ends cleanly at SIGTERM: what it had not begun is back, and its exit code is 0', async () => {
    const { id, child } = await lab.startSender()
    const jobs = [await lab.placed(people('t1-', 50)), await lab.placed(people('t2-', 50))]
    await lab.granted(
      id,
      lab.lease({ pacePerS: 20 }),
      jobs.map(({ held }) => held),
    )
    await until('it sends', () => lab.arrived(jobs.flatMap(({ addresses }) => addresses)) > 3)
    expect(await lab.killed(child, 'SIGTERM')).toBe(0)
    for (const job of jobs) {
      expect(await lab.isGone(job)).toBe(true)
      const waiting = (await lab.waitingOrders(job.campaign)).reduce((sum, order) => sum + order.count, 0)
      expect(waiting + lab.arrived(job.addresses)).toBe(50)
    }
  })
})
