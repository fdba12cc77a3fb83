import { expect, it } from 'vitest'
import type { Behaviour } from '../../scripts/world/models/behaviour.ts'
import { mailboxFull, unknownUser } from '../../scripts/world/models/recipients.ts'
import { reply } from '../../scripts/world/models/reply.ts'
import { domainOf } from '../../scripts/world/models/address.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const EACH = 150
const HOUR_MS = 3_600_000
const TENANTS = ['closed.example', 'open-1.example', 'open-2.example'] as const
/** One sender's sessions at the site: each may have a mail under way when the first answer comes. */
const SESSIONS = 4

/** A tenant whose domain is not set up at Microsoft: 5.4.1 for everybody in it. */
function tenantClosed(domain: string): Behaviour<null> {
  const denied = reply(550, '5.4.1', 'Recipient address rejected: Access denied. AS(201806281) [DB8EUR05FT027.eop-eur05.prod.protection.outlook.com]')
  return {
    name: 'unknown-user',
    provokedBy: 'address',
    hears: ['rcpt'],
    start: () => null,
    hear: (state, event) =>
      event.on === 'rcpt' && domainOf(event.to) === domain ? { state, answer: { reply: denied, because: 'unknown-user', then: 'stay' } } : null,
  }
}

const hostOf = (domain: string) => `${domain.replace('.', '-')}.mail.protection.outlook.com`
const office365: IspRow = {
  name: 'office365',
  hosts: TENANTS.map(hostOf),
  domains: TENANTS.map((domain) => ({ domain, mx: [[0, hostOf(domain)]] })),
  ehlo: ['PIPELINING', 'SIZE 36700160', '8BITMIME'],
  idleMs: 60_000,
  behaviours: [tenantClosed(TENANTS[0]), unknownUser(), mailboxFull('rcpt')],
}

it('550 5.4.1 rests the tenant it was said for: a few of its recipients are asked, nobody bounces, the other tenants of the site go on', async () => {
  const isp = [{ name: 'office365', sessions_per_ip: SESSIONS, sessions_start: SESSIONS }]
  await using scene = await startScene({ world: { rows: [office365] }, fleet: { ips: 1, isp } })
  const people = Array.from({ length: EACH * TENANTS.length }, (_, at) => `taro${at}@${TENANTS[at % TENANTS.length]}`)
  await scene.send('tenants', people)
  const open = EACH * (TENANTS.length - 1)
  // Ten of the tenant refused alike would be the whole site's matter: too late.
  const siteRests = ({ because }: { readonly because: string }) => because === 'site-busy'
  const rests = await scene.until(
    'tenants',
    ({ delivered, bounced, waitingFor }) => delivered >= open || bounced > 0 || (waitingFor ?? []).some(siteRests),
    30_000,
  )
  expect(rests).toMatchObject({ delivered: open, bounced: 0, waiting: EACH })

  const refused = (await scene.said('tenants')).filter(({ code }) => code === 550)
  expect(new Set(refused.map(({ rcpt, class: replyClass, blames }) => `${domainOf(rcpt)} ${replyClass} ${blames}`))).toEqual(
    new Set(['closed.example ambiguous-user domain']),
  )
  expect(refused.length, 'recipients of the tenant that were asked before it rested').toBeLessThanOrEqual(SESSIONS)
  // Whoever was not asked waits with the reason, until the rest is over.
  const told = await scene.until('tenants', ({ deferred }) => deferred === EACH, 10_000)
  const waits = told.waitingFor.find(({ because }) => because === 'resting')
  expect(waits).toMatchObject({ site: 'office365' })
  expect(Date.parse(waits?.until ?? '') - Date.now()).toBeGreaterThan(HOUR_MS / 2)
  expect((await scene.isp('office365'))?.resting ?? null).toBeNull()
  expect((await scene.standing('office365')).filter(({ mode }) => mode === 'cooling' || mode === 'blocked')).toEqual([])

  await scene.cluster.ask('campaignControl', { tenant: 'acme', id: 'tenants' }, { action: 'cancel' })
  expect(await scene.until('tenants', ({ state }) => state === 'cancelled', 20_000)).toMatchObject({ delivered: open, cancelled: EACH })
  expect(await scene.account('tenants')).toMatchObject(NOTHING_AMISS)
})
