/** pause, resume and cancel as a publisher means them: within two seconds no sender begins another mail of the campaign, and the others go on. */
import { expect, it } from 'vitest'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { settledOf } from '../kit/tally.ts'

const RECIPIENTS = 3_000
const EFFECTIVE_MS = 2_000
const WATCHED_MS = 3_000
const passes = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

it('stops at every sender within two seconds, goes on where it stood, and ends what is cancelled', { timeout: 180_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  await using cluster = await startCluster({
    senders: 2,
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      { ips: 4, isp: [{ name: 'google', mails_per_second: 40, sessions_per_ip: 5, sessions_start: 5 }] },
    ),
  })
  const people = (name: string) => Array.from({ length: RECIPIENTS }, (_, at) => `ok+${name}${at}@gmail.com`)
  const [held, other] = [people('held'), people('other')]
  const arrived = (addresses: readonly string[]) => addresses.filter((rcpt) => world.record.arrivals(rcpt).length > 0).length
  const order = (id: string, action: string) => cluster.ask('campaignControl', { tenant: 'acme', id }, { action })

  await cluster.publish('acme', noticeTo('held', held))
  await cluster.publish('acme', noticeTo('other', other))
  await cluster.until('acme', 'held', (told) => settledOf(told) > 200)

  await order('held', 'pause')
  await passes(EFFECTIVE_MS)
  const [stood, went] = [arrived(held), arrived(other)]
  await passes(WATCHED_MS)
  expect(arrived(held)).toBe(stood)
  expect(arrived(other), 'the other campaign has the pace for itself').toBeGreaterThan(went + 100)
  const paused = await cluster.status('acme', 'held')
  expect(paused).toMatchObject({ state: 'paused', delivered: stood, waiting: RECIPIENTS - stood })
  expect(new Set(paused.waitingFor.map(({ because }) => because))).toEqual(new Set(['paused']))

  await order('held', 'resume')
  await cluster.until('acme', 'held', (told) => settledOf(told) > stood + 200)
  await order('held', 'cancel')
  await passes(EFFECTIVE_MS)
  const last = arrived(held)
  await passes(WATCHED_MS)
  expect(arrived(held)).toBe(last)
  const end = await cluster.until('acme', 'held', ({ state }) => state === 'cancelled')
  expect(end).toMatchObject({ delivered: last, cancelled: RECIPIENTS - last, waiting: 0 })
  await cluster.until('acme', 'other', ({ state, delivered }) => state === 'finished' && delivered === RECIPIENTS, 90_000)
})
