import { expect, it } from 'vitest'
import type { Behaviour } from '../../scripts/world/models/behaviour.ts'
import { mailboxFull, unknownUser } from '../../scripts/world/models/recipients.ts'
import { reply } from '../../scripts/world/models/reply.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const GREY_MS = 2_000
const SITES = 4
const EACH = 60

/** Knows (source address, return path, recipient), the address exactly: who comes back from another one is a stranger again. */
function greylistByAddress(): Behaviour<Map<string, number>> {
  return {
    name: 'greylist',
    provokedBy: 'traffic',
    hears: ['rcpt'],
    start: () => new Map(),
    hear(known, event, { now, session }) {
      if (event.on !== 'rcpt' || session.mail === null) return null
      const triplet = `${session.source} ${session.mail.from} ${event.to}`
      const since = known.get(triplet)
      if (since !== undefined && now - since >= GREY_MS) return null
      if (since === undefined) known.set(triplet, now)
      return { state: known, answer: { reply: reply(450, '4.2.0', 'Greylisted, please come back in 2 seconds'), because: 'greylist', then: 'stay' } }
    },
  }
}

const rows: readonly IspRow[] = Array.from({ length: SITES }, (_, at) => ({
  name: `grey-${at}`,
  hosts: [`mx.grey-${at}.example`],
  domains: [{ domain: `grey-${at}.example`, mx: [[10, `mx.grey-${at}.example`]] }],
  ehlo: ['PIPELINING', 'SIZE 20971520', '8BITMIME'],
  idleMs: 60_000,
  behaviours: [greylistByAddress(), unknownUser(), mailboxFull('rcpt')],
}))

it('a world that greylists everybody costs one retry each, from the same IP, and nothing else', async () => {
  // A greylist's wait is believed from a minute upwards; this world's takes two seconds.
  const rule = [
    { id: 'test/grey', seen: '450 4.2.0 Greylisted, please come back in 2 seconds', text: 'greylisted', class: 'greylisted', blames: 'nobody', rest: '2s' },
  ]
  await using scene = await startScene({ world: { rows }, senders: 2, fleet: { ips: 4, more: { rule } } })
  const people = Array.from({ length: SITES * EACH }, (_, at) => `taro${at}@grey-${at % SITES}.example`)
  // Several small campaigns, so that each site has orders at several of the four IPs.
  const ids = Array.from({ length: 6 }, (_, n) => `grey${n}`)
  for (const [n, id] of ids.entries())
    await scene.send(
      id,
      people.filter((_, at) => at % ids.length === n),
    )
  for (const id of ids) expect(await scene.ended(id, 60_000)).toMatchObject({ bounced: 0, expired: 0, waiting: 0 })

  const said = (await Promise.all(ids.map((id) => scene.said(id)))).flat()
  const ways = people.map((rcpt) => said.filter((one) => one.rcpt === rcpt).map(({ outcome, class: replyClass, ip }) => `${outcome} ${replyClass} ${ip}`))
  const first = said.find(({ rcpt }) => rcpt === people[0])
  expect(
    ways.filter((way) => way.length !== 2),
    'recipients that took more than one retry',
  ).toEqual([])
  expect(ways[0]).toEqual([`deferred greylisted ${first?.ip}`, `delivered delivered ${first?.ip}`])
  expect(new Set(said.map(({ ip }) => ip)).size, 'more than one source was at work').toBeGreaterThan(1)
  for (const { name } of rows) {
    for (const { mode } of await scene.standing(`${name}.example`)) expect(['warming', 'steady']).toContain(mode)
    expect((await scene.isp(`${name}.example`))?.resting ?? null).toBeNull()
  }
  for (const id of ids) expect(await scene.account(id)).toMatchObject(NOTHING_AMISS)
})
