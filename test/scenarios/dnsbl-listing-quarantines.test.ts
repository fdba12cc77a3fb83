/**
 * A listing on a zone marked so takes the IP off every site. Beside it stand the answers that are none: the list's word to the asker (127.255.255.x),
 * and a list that lists everybody, its own 127.0.0.1 included (RFC 5782).
 */
import { expect, it } from 'vitest'
import { until } from '../kit/bus.ts'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const [LISTED, ASKED_WRONGLY, C, D] = ['127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.1.4'] as const

it('quarantines the listed IP and no other, and mail goes on from the rest of the pool', { timeout: 60_000 }, async () => {
  await using lab = await startSourceLab({
    ips: 4,
    rest: '5s',
    more: { dnsbl: ['bl.example', 'everybody.example'].map((zone) => ({ zone, quarantine: true, every: '1s' })) },
  })
  lab.world.publishBlockList('everybody.example', { [LISTED]: '127.0.0.2', [C]: '127.0.0.2' }, 'everything')
  lab.world.publishBlockList('bl.example', { [LISTED]: '127.0.0.4', [ASKED_WRONGLY]: '127.255.255.254' })
  await until(`${LISTED} is listed`, async () => (await lab.ip(LISTED)).listings !== undefined, 15_000)
  expect(await lab.ip(LISTED)).toMatchObject({ mode: 'quarantined', because: 'listed on bl.example', until: null, listings: { 'bl.example': '127.0.0.4' } })
  for (const clean of [ASKED_WRONGLY, C, D]) expect(await lab.ip(clean)).toMatchObject({ mode: 'serving' })

  const list = people(200, 'on-')
  await lab.cluster.publish('acme', noticeTo('on', list))
  expect(await lab.cluster.until('acme', 'on', ({ state }) => state === 'finished', 30_000)).toMatchObject({ delivered: list.length })
  expect([...lab.takenBy().keys()]).not.toContain(LISTED)
  expect(await lab.accountOf('acme', 'on', list)).toEqual(NOTHING_WRONG)

  // Delisted: a person decides whether it may serve again.
  lab.world.publishBlockList('bl.example', {})
  await until(`${LISTED} is listed no more`, async () => (await lab.ip(LISTED)).listings === undefined, 15_000)
  expect(await lab.ip(LISTED)).toMatchObject({ mode: 'quarantined' })
  expect(await lab.cluster.ask('ipControl', { address: LISTED }, { action: 'release', because: 'delisted' })).toMatchObject({ ok: true, mode: 'serving' })
  expect((await lab.ipEvents()).map(({ address, to }) => `${address} ${to}`)).toEqual([`${LISTED} quarantined`, `${LISTED} serving`])
})
