/** A real sender process whose content, peer, NATS or own time goes away. */
import { describe, expect, it } from 'vitest'
import { until } from '../kit/bus.ts'
import { people } from '../kit/sender-forms.ts'
import { labForFile } from '../kit/sender-lab.ts'

const here = labForFile()

describe('a sender in trouble', () => {
  it('outlives content that somebody took away: its mails bounce, the others go on', async () => {
    const { id, child } = await here.lab.aSender()
    const [gone, job] = [await here.lab.placed(people('gone', 3), {}, 'content/acme/gone/1'), await here.lab.placed(people('stays', 3))]
    await here.lab.granted(id, here.lab.lease(), [gone.held, job.held])
    await until('both orders are acked', async () => (await here.lab.isGone(gone)) && (await here.lab.isGone(job)), 10_000)
    expect(new Set((await here.lab.outcomes(gone)).map((outcome) => `${outcome.outcome} ${outcome.class} ${outcome.blames}`))).toEqual(
      new Set(['bounced content content']),
    )
    expect(here.lab.copies(job.addresses)).toEqual([1, 1, 1])
    expect(child.exitCode).toBeNull()
  })

  it('answers while every address of its site has the sessions that it bears', async () => {
    const { id } = await here.lab.aSender()
    const job = await here.lab.placed(['drop-at-rcpt@gmail.com', ...people('few', 40)])
    const { terms } = here.lab.lease()
    await here.lab.granted(id, here.lab.lease({ terms: { ...terms, sessionsPerAddress: 1, mailsPerSession: 3 } }), [job.held])
    let worstMs = 0
    await until(
      'the order is acked',
      async () => {
        const asked = performance.now()
        await here.lab.holdings(id)
        worstMs = Math.max(worstMs, performance.now() - asked)
        return here.lab.isGone(job)
      },
      20_000,
    )
    expect(worstMs).toBeLessThan(1_000)
    expect(here.lab.copies(job.addresses.slice(1))).toEqual(job.addresses.slice(1).map(() => 1))
  })

  it('opens another session for a mail that comes while the first one waits for a slow peer', async () => {
    const { id } = await here.lab.aSender()
    const [slow, quick] = [await here.lab.placed(['slow-8s@gmail.com']), await here.lab.placed(people('quick', 1))]
    const given = await here.lab.granted(id, here.lab.lease(), [slow.held])
    await until('the slow one is under way', async () => (await here.lab.holdings(id)).leases.some(({ open }) => open === 1))
    await here.lab.granted(id, given, [quick.held])
    await until('the quick one is through', () => here.lab.isGone(quick), 4_000)
    expect(await here.lab.isGone(slow)).toBe(false)
  })

  it('lives through 12 s without NATS in the middle of its work: nothing is missed, and what it knew is told once', async () => {
    const { id, child } = await here.lab.aSender()
    const [job, queued] = [await here.lab.placed(people('out', 60)), await here.lab.placed(people('queued', 5))]
    const claimed = async () => (await here.lab.outcomes(job)).length > 0
    await here.lab.granted(id, here.lab.lease({ pacePerS: 20, sessions: 2 }), [job.held, queued.held])
    await until('it sends and tells', async () => here.lab.arrived(job.addresses) > 10 && (await claimed()))
    await here.nats.kill()
    here.lab.renewNothing()
    await new Promise((resolve) => setTimeout(resolve, 12_000)) // an outage has no event: longer than every wait inside
    const then = here.lab.arrived(job.addresses)
    await here.nats.start()
    await until('the rest is back', async () => (await here.lab.waitingOrders(job.campaign)).length === 1, 15_000)
    expect(child.exitCode).toBeNull()
    const told = (await here.lab.outcomes(job)).map(({ rcpt }) => rcpt)
    expect(new Set(told).size).toBe(told.length)
    expect(told.length).toBe(then)
    expect((await here.lab.waitingOrders(job.campaign))[0]).toMatchObject({ attempt: 1, count: 60 - then })
    expect(here.lab.copies(job.addresses).every((count) => count <= 1)).toBe(true)
    expect(here.lab.arrived(queued.addresses)).toBe(0)
    const again = await here.lab.placed(people('after', 3))
    await here.lab.granted(id, here.lab.lease(), [again.held])
    await until('it works again', () => here.lab.isGone(again), 10_000)
  })

  it('ends cleanly at SIGTERM: what it had not begun is back, and its exit code is 0', async () => {
    const { id, child } = await here.lab.startSender()
    const jobs = [await here.lab.placed(people('t1-', 50)), await here.lab.placed(people('t2-', 50))]
    await here.lab.granted(
      id,
      here.lab.lease({ pacePerS: 20 }),
      jobs.map(({ held }) => held),
    )
    await until('it sends', () => here.lab.arrived(jobs.flatMap(({ addresses }) => addresses)) > 3)
    expect(await here.lab.killed(child, 'SIGTERM')).toBe(0)
    for (const job of jobs) {
      expect(await here.lab.isGone(job)).toBe(true)
      const waiting = (await here.lab.waitingOrders(job.campaign)).reduce((sum, order) => sum + order.count, 0)
      expect(waiting + here.lab.arrived(job.addresses)).toBe(50)
    }
  })
})
