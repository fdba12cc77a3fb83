import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DnsblConfig } from '../../../protocol/dnsbl-config.ts'
import { allow } from './allow.ts'
import { control } from './control.ts'
import { hearRound, nextRoundMs, questionOf, type Round, UNKNOWN_ZONE, type ZoneView } from './dnsbl.ts'
import { hearZone } from './hear-zone.ts'
import { fleetOf, managerOf, MINUTE_MS, modesIn, NOW } from './manager.testkit.ts'
import { fromMemory, toMemory } from './memory.ts'
import { pass } from './pass.ts'
import { reputationOf } from './reputation.ts'

const [A, B, C, D] = ['203.0.113.1', '203.0.113.2', '203.0.113.3', '203.0.113.4'] as const
const row = DnsblConfig.parse({ zone: 'bl.example', quarantine: true })
const round = (listed: Record<string, string>, more: Partial<Round> = {}): Round => ({
  listedTest: ['127.0.0.2'],
  cleanTest: [],
  addresses: new Map([A, B, C, D].map((address) => [address, address in listed ? [listed[address] as string] : []])),
  ...more,
})
/** Rounds a minute apart; the addresses that are believed to be listed after the last. */
function listedBy(rounds: readonly Round[], apartMs = MINUTE_MS, from: ZoneView = UNKNOWN_ZONE): readonly string[] {
  const view = rounds.reduce((standing, one, at) => hearRound(standing, row, one, NOW + at * apartMs).view, from)
  return Object.keys(view.listed)
}
const HIT = { [A]: '127.0.0.2' }

describe('a listing counts', () => {
  test('when it is seen twice within ten minutes', () => {
    expect(listedBy([round(HIT)])).toEqual([])
    expect(listedBy([round(HIT), round(HIT)])).toEqual([A])
    expect(listedBy([round(HIT), round(HIT)], 11 * MINUTE_MS)).toEqual([])
    expect(listedBy([round(HIT), round({}), round(HIT)])).toEqual([])
  })

  test('only with a listed code, and never with 127.255.255.x whatever the row says', () => {
    const coded = (code: string, codes: string[]) => {
      const strict = { codes }
      return Object.keys(hearRound(hearRound(UNKNOWN_ZONE, strict, round({ [A]: code }), NOW).view, strict, round({ [A]: code }), NOW).view.listed)
    }
    expect(coded('127.0.0.10', ['127.0.0.2-127.0.0.9'])).toEqual([])
    expect(coded('127.0.0.9', ['127.0.0.2-127.0.0.9'])).toEqual([A])
    expect(coded('127.255.255.254', ['127.0.0.2', '127.255.255.0-127.255.255.255'])).toEqual([])
    expect(coded('10.0.0.2', ['127.0.0.2'])).toEqual([])
  })

  test.each<[string, Partial<Round>, string]>([
    ['a dead list', { listedTest: [] }, 'not listed'],
    ['a list that lists everybody', { cleanTest: ['127.0.0.2'] }, 'everybody'],
    ['a list that answers the asker, not the question', { listedTest: ['127.255.255.254'] }, 'not listed'],
    ['a list that does not answer', { cleanTest: null }, 'does not answer'],
  ])('never in %s', (_, more, why) => {
    expect(listedBy([round(HIT, more), round(HIT, more)])).toEqual([])
    expect(hearRound(UNKNOWN_ZONE, row, round(HIT, more), NOW).view.disbelieved).toContain(why)
  })

  test('never while half of the fleet is listed at once', () => {
    const half = round({ [A]: '127.0.0.2', [B]: '127.0.0.2' })
    expect(listedBy([half, half])).toEqual([])
    const one = { ...round(HIT), addresses: new Map([[A, ['127.0.0.2']]]) }
    expect(listedBy([one, one])).toEqual([A]) // an IP that is the whole fleet
  })

  test('until a sound answer takes it back; silence and a list that went mad change nothing', () => {
    const listed = hearRound(hearRound(UNKNOWN_ZONE, row, round(HIT), NOW).view, row, round(HIT), NOW).view
    expect(listedBy([round({}, { addresses: new Map([[A, null]]) })], 0, listed)).toEqual([A])
    expect(listedBy([round({}, { listedTest: [] })], 0, listed)).toEqual([A])
    expect(listedBy([round({})], 0, listed)).toEqual([])
  })

  test('only if each of two sound rounds saw it (any rounds)', () => {
    const anyRound = fc.record({ hit: fc.boolean(), sound: fc.boolean() })
    fc.assert(
      fc.property(fc.array(anyRound, { maxLength: 12 }), (rounds) => {
        const listed = listedBy(rounds.map(({ hit, sound }) => round(hit ? HIT : {}, sound ? {} : { listedTest: [] })))
        const proven = rounds.some(({ hit, sound }, at) => hit && sound && rounds[at - 1]?.hit === true && rounds[at - 1]?.sound === true)
        expect(listed.length === 0 || proven).toBe(true)
      }),
    )
  })
})

test('after a first sighting the zone is asked again in time for the second', () => {
  const every = 3_600_000
  const once = hearRound(UNKNOWN_ZONE, row, round(HIT), NOW).view
  expect(nextRoundMs(once, { every })).toBe(5 * MINUTE_MS)
  expect(nextRoundMs(hearRound(once, row, round(HIT), NOW).view, { every })).toBe(every)
})

test('an address is asked backwards, IPv6 by nibbles', () => {
  expect(questionOf('203.0.113.7', 'bl.example.')).toBe('7.113.0.203.bl.example')
  expect(questionOf('2001:db8::7', 'bl.example')).toBe(`7${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.bl.example`)
})

describe('a zone marked so', () => {
  const fleet = fleetOf({ [A]: {}, [B]: {}, [C]: {}, [D]: {} }, { dnsbl: [{ zone: 'bl.example', quarantine: true }, { zone: 'tells.example' }] })
  const twice = (manager: ReturnType<typeof managerOf>, zone: string, listed = HIT) => [
    ...hearZone(manager, zone, round(listed), manager.now),
    ...hearZone(manager, zone, round(listed), manager.now + MINUTE_MS),
  ]

  test('quarantines the IP everywhere, the others go on; another zone only tells', () => {
    const manager = managerOf(fleet)
    expect(modesIn(twice(manager, 'tells.example'))).toEqual([])
    expect(modesIn(twice(manager, 'bl.example'))).toEqual([`${A} serving → quarantined`])
    expect(allow(manager, [{ site: 'google', provider: null, pools: ['main'] }]).map(({ lends, because }) => [lends, because])).toEqual([
      [false, 'listed on bl.example'],
      ...[B, C, D].map(() => [true, 'steady']),
    ])
    expect(reputationOf(manager, A)?.ips[0]).toMatchObject({ mode: 'quarantined', listings: { 'bl.example': '127.0.0.2', 'tells.example': '127.0.0.2' } })
    expect(reputationOf(manager, B)?.ips[0]).not.toHaveProperty('listings')
  })

  test('quarantines no more once a person released the IP, also after a change of owner; a listing anew does', () => {
    const manager = managerOf(fleet)
    twice(manager, 'bl.example')
    const release = (of: typeof manager) =>
      control(of, of.ips.get(A) as NonNullable<ReturnType<typeof of.ips.get>>, { action: 'release', because: 'delisted soon', forMs: null }, of.now)
    expect(modesIn(release(manager))).toEqual([`${A} quarantined → serving`])
    const next = managerOf(fleet)
    fromMemory(next, toMemory(manager))
    expect(modesIn([...pass(next, next.now + MINUTE_MS), ...twice(next, 'bl.example')])).toEqual([])
    hearZone(next, 'bl.example', round({}), next.now)
    expect(modesIn(twice(next, 'bl.example'))).toEqual([`${A} serving → quarantined`])
  })
})
