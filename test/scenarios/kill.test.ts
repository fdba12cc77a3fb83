import { describe, expect, it } from 'vitest'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster, type TestCluster, type Who } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { account, breachOf, settledOf, tallyOutcomes } from '../kit/tally.ts'

const RECIPIENTS = 6_000
/** mails a second and source IP, so that the campaign lasts long enough to be hit in the middle */
const PACE = 100
const IPS = 4

const VICTIMS: readonly Who[] = ['scheduler', 'domain-router', 'ip-manager', 'sender-1', 'sender-2', 'nats-server', 'supervisor']

interface Row {
  readonly who: Who
  readonly settledAtKill: string
  readonly sessions: number
  /** S2: sessions open, and the outcomes of 300 ms */
  readonly bound: number
  readonly lost: number
  readonly doubled: number
  readonly flagged: number
  readonly s: number
}
const rows: Row[] = []

/** Asks for the status every 50 ms for as long as the test goes on; every answer must keep S1 and none may go back. */
function watchS1(cluster: TestCluster, id: string): { readonly breaches: string[]; asked: number; stop(): Promise<void> } {
  const watch = { breaches: [] as string[], asked: 0, stop: async () => {} }
  let on = true
  let before: CampaignStatus | null = null
  const asking = (async () => {
    while (on) {
      const status = await cluster.status('acme', id).catch(() => null) // nobody answers while a scheduler or NATS is away
      if (status && status.state !== 'unknown' && status.state !== 'received') {
        watch.asked++
        const breach = breachOf(status)
        if (breach) watch.breaches.push(breach)
        if (before && settledOf(status) < settledOf(before)) watch.breaches.push(`settled went back from ${settledOf(before)} to ${settledOf(status)}`)
        if (before && status.recipients < before.recipients) watch.breaches.push(`recipients went back from ${before.recipients} to ${status.recipients}`)
        before = status
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  watch.stop = async () => {
    on = false
    await asking
  }
  return watch
}

describe.each(VICTIMS)('kill -9 of %s in the middle of a campaign', (who) => {
  it('loses nobody, doubles no more than was under way and says of whom', { timeout: 180_000 }, async () => {
    await using world = await startWorld({ behaviours: 'none' })
    await using cluster = await startCluster({
      senders: 2,
      fleet: loopbackFleet(
        { dns: world.dns, smtpPort: world.smtpPort },
        { ips: IPS, isp: [{ name: 'google', mails_per_second: PACE, sessions_per_ip: 5, sessions_start: 5 }] },
      ),
    })
    const published = Array.from({ length: RECIPIENTS }, (_, at) => `ok+${at}@gmail.com`)
    await cluster.publish('acme', noticeTo('spring', published))
    const share = 0.2 + 0.4 * Math.random()
    await cluster.until('acme', 'spring', (told) => settledOf(told) >= share * RECIPIENTS)
    const watch = watchS1(cluster, 'spring')
    const began = performance.now()
    const atKill = await cluster.status('acme', 'spring')
    const sessions = world.openSessions('google')
    await cluster.kill(who)
    if (who === 'supervisor') await cluster.start()
    const end = await cluster.until('acme', 'spring', ({ state }) => state === 'finished', 120_000)
    await watch.stop()

    const tally = await tallyOutcomes(cluster.bus, 'acme', 'spring')
    const farEnd = new Map(published.map((rcpt) => [rcpt, copiesOf(world.record.arrivals(rcpt))] as const).filter(([, copies]) => copies.size > 0))
    const { lost, doubled, unaccounted } = account(published, tally, farEnd)
    const settled = settledOf(atKill) / RECIPIENTS
    const bound = sessions + Math.ceil(0.3 * IPS * PACE)
    rows.push({
      who,
      settledAtKill: `${Math.round(100 * settled)} %`,
      sessions,
      bound,
      lost: lost.length,
      doubled: doubled.length,
      flagged: tally.flagged.size,
      s: Math.round((performance.now() - began) / 100) / 10,
    })

    expect(settled, 'it was killed too early or too late to say anything').toBeGreaterThan(0.1)
    expect(settled).toBeLessThan(0.8)
    expect(end).toMatchObject({ recipients: RECIPIENTS, delivered: RECIPIENTS, waiting: 0 })
    expect({ lost, unaccounted, endedTwice: tally.endedTwice }).toEqual({ lost: [], unaccounted: [], endedTwice: [] })
    expect(doubled.length).toBeLessThanOrEqual(bound)
    expect(doubled.filter(({ flagged }) => !flagged)).toEqual([])
    expect(watch.breaches).toEqual([])
    expect(watch.asked).toBeGreaterThan(20)
    if (rows.length === VICTIMS.length) console.table(rows)
  })
})

function copiesOf(arrivals: readonly { readonly messageId: string; readonly count: number }[]): ReadonlyMap<string, number> {
  return new Map(arrivals.map(({ messageId, count }) => [messageId, count]))
}
