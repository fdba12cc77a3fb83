import { expect, it } from 'vitest'
import { mailboxFull, unknownUser } from '../../scripts/world/models/recipients.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { countsOf, NOTHING_AMISS, startScene } from '../kit/scene.ts'

const EACH = 15

const isp = (name: string, hosts: readonly string[]): IspRow => ({
  name,
  hosts,
  domains: [{ domain: `${name}.example`, mx: hosts.map((host, at) => [at * 10, host]) }],
  ehlo: ['PIPELINING', 'SIZE 20971520', '8BITMIME'],
  idleMs: 60_000,
  behaviours: [unknownUser(), mailboxFull('rcpt')],
})
const rows = [isp('none', ['mx1.none.example', 'mx2.none.example', 'mx3.none.example']), isp('some', ['mx1.some.example', 'mx2.some.example'])]

it('521 from every host ends the recipients as a domain without mail, 521 from one host moves on to the next (RFC 7504)', async () => {
  await using scene = await startScene({ world: { rows }, fleet: { more: { retry: { first: '1s', host: { steps: ['1s'] } } } } })
  const says = { stage: 'connect', does: 'reply', code: 521, text: 'this host does not accept mail' } as const
  scene.world.fault('none', 'no mail', says)
  scene.world.fault('some', 'no mail', { ...says, times: 1 })
  const people = Array.from({ length: EACH * 2 }, (_, at) => `taro${at}@${rows[at % 2]?.name}.example`)
  await scene.send('521', people)
  expect(await scene.ended('521', 30_000)).toMatchObject({ delivered: EACH, bounced: EACH })
  const bounced = (await scene.said('521')).filter(({ outcome }) => outcome === 'bounced')
  expect(countsOf(bounced)).toEqual({ 'bounced null-mx domain': EACH })
  expect(await scene.account('521')).toMatchObject(NOTHING_AMISS)
})
