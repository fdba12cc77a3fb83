import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../protocol/codec.ts'
import { addCounts, type Counts, countPairs, type Manager, newManager, noCounts, poolKey } from '../state.ts'
import { allow } from './allow.ts'
import { blamed, changesIn, delivered, fleetOf, HOUR_MS, listed, managerOf, MINUTE_MS, modesIn, NOW, see } from './manager.testkit.ts'
import { fromMemory, type Memory, toMemory } from './memory.ts'
import { complainedAbout, observe, type Seen, type SeenChunk } from './observe.ts'
import { pass } from './pass.ts'
import type { Say } from './says.ts'

const A = '127.0.1.1'
const B = '127.0.1.2'
const C = '127.0.1.3'
const D = '127.0.1.4'
const fleet = fleetOf({ [A]: {}, [B]: {}, [C]: {}, [D]: {} })
const lendsAt = (manager: Manager, site: string) =>
  Object.fromEntries(allow(manager, [{ site, provider: null, pools: ['main'] }]).map(({ ip, lends }) => [ip, lends]))

describe('a complaint', () => {
  test('counts where its mail went, and weighs on the score of the IP there and nowhere else', () => {
    const manager = managerOf(fleet)
    see(manager, [...Array.from({ length: 200 }, () => delivered(A, 'yahoo')), ...Array.from({ length: 200 }, () => delivered(B, 'yahoo'))])
    for (let times = 0; times < 5; times++) complainedAbout(manager, A, 'yahoo')
    complainedAbout(manager, '192.0.2.1', 'yahoo') // an IP that the fleet no longer names
    const [ofA, ofB] = [A, B].map((ip) => manager.ips.get(ip)?.pairs.get('yahoo'))
    expect([ofA?.counts.complained, ofB?.counts.complained]).toEqual([5, 0])
    expect([ofA?.source.score.complained, ofB?.source.score.complained]).toEqual([5, 0])
    expect(manager.ips.has('192.0.2.1')).toBe(false)
  })
})

describe('a chunk of outcomes', () => {
  test('counts by IP and site, and a second reading of it counts nothing', () => {
    const manager = managerOf(fleet)
    const chunk: SeenChunk = {
      seq: 7,
      at: NOW,
      tenant: 'acme',
      seen: [delivered(A, 'google'), delivered(A, 'google'), blamed(A, 'yahoo'), delivered(B, 'google'), { ...listed(B, 'yahoo'), outcome: 'bounced' }],
    }
    observe(manager, chunk)
    expect(observe(manager, chunk)).toEqual([])
    const counts = (ip: string, site: string) => manager.ips.get(ip)?.pairs.get(site)?.counts
    expect(counts(A, 'google')).toMatchObject({ delivered: 2, deferred: 0, bounced: 0 })
    expect(counts(A, 'yahoo')).toMatchObject({ deferred: 1, blocked: 0 })
    expect(counts(B, 'yahoo')).toMatchObject({ bounced: 1, blocked: 1 })
    expect(manager.position).toBe(7)
  })

  test('from an address that is not in the fleet leaves no trace', () => {
    const manager = managerOf(fleet)
    see(manager, [delivered('198.51.100.1', 'google')])
    expect(manager.ips.has('198.51.100.1')).toBe(false)
  })

  test('notes whose recipients the blame came from', () => {
    const manager = managerOf(fleet)
    see(manager, [blamed(A, 'google')], NOW, 'acme')
    see(manager, [blamed(A, 'google'), delivered(A, 'google')], NOW, 'bravo')
    expect([...(manager.ips.get(A)?.pairs.get('google')?.blamedBy ?? [])]).toEqual([
      ['acme', 1],
      ['bravo', 1],
    ])
  })
})

describe('a reply that blames the source', () => {
  test('cools that IP at that site and nowhere else, and says so at once', () => {
    const manager = managerOf(fleet)
    const says = see(manager, [blamed(A, 'google')])
    expect(modesIn(says)).toEqual([`${A} google steady → cooling`])
    expect(changesIn(says)).toEqual([`${A} google stops`])
    expect(lendsAt(manager, 'google')).toEqual({ [A]: false, [B]: true, [C]: true, [D]: true })
    expect(lendsAt(manager, 'yahoo')).toEqual({ [A]: true, [B]: true, [C]: true, [D]: true })
  })

  test('that is one of several in flight is no second cooling', () => {
    const manager = managerOf(fleet)
    expect(
      modesIn(
        see(
          manager,
          Array.from({ length: 50 }, () => blamed(A, 'google')),
        ),
      ),
    ).toHaveLength(1)
    expect(manager.ips.get(A)?.pairs.get('google')?.source.coolings).toHaveLength(1)
  })

  test('rests as long as its row says, and its end is the moment that was told', () => {
    const manager = managerOf(fleet)
    const [mode] = see(manager, [blamed(A, 'google', { rule: { id: 'x', restMs: 10 * MINUTE_MS } })])
    expect(mode).toMatchObject({ because: 'x', until: NOW + 10 * MINUTE_MS, reply: '421 4.7.0 unloved' })
    expect(manager.wakeAt).toBeLessThanOrEqual(NOW + 10 * MINUTE_MS)
    const resumed = pass(manager, NOW + 10 * MINUTE_MS + 437)
    expect(resumed[0]).toMatchObject({ say: 'mode', to: 'recovering', at: NOW + 10 * MINUTE_MS })
    expect(changesIn(resumed)).toEqual([`${A} google lends`])
  })

  test('that asks for a delisting blocks; a bounce whose tries were over only cools', () => {
    const manager = managerOf(fleet)
    expect(modesIn(see(manager, [listed(A, 'google')]))).toEqual([`${A} google steady → blocked`])
    expect(modesIn(see(manager, [{ ...listed(B, 'yahoo'), outcome: 'bounced' }]))).toEqual([`${B} yahoo steady → cooling`])
    expect(modesIn(see(manager, [blamed(C, 'apple', { rule: { id: 'ptr', needsPerson: true } })]))).toEqual([`${C} apple steady → blocked`])
  })

  test('that counts only with others waits for them', () => {
    const manager = managerOf(fleet)
    const rule = { id: 'rate', threshold: { count: 3, perMs: HOUR_MS } }
    expect(modesIn(see(manager, [blamed(A, 'google', { rule }), blamed(A, 'google', { rule })]))).toEqual([])
    expect(modesIn(see(manager, [blamed(A, 'google', { rule })]))).toEqual([`${A} google steady → cooling`])
  })

  test('blames nobody but the sender when it is the domain (gmail-4.7.28-dkim-does-not-cool-the-ip)', () => {
    const manager = managerOf(fleet)
    expect(see(manager, [blamed(A, 'google', { blames: 'sender' })])).toEqual([])
  })
})

describe('blocked mail does not spread', () => {
  test('two IPs of a pool blamed at one site within an hour rest the whole pool there (bad-campaign-cannot-burn-the-pool)', () => {
    const manager = managerOf(fleet)
    see(manager, [blamed(A, 'google')])
    const says = see(manager, [blamed(B, 'google')], NOW + 20 * MINUTE_MS)
    expect(says.filter(({ say }) => say === 'pool')).toMatchObject([{ pool: 'main', site: 'google', rests: true }])
    expect(changesIn(says)).toEqual([`${B} google stops`, `${C} google stops`, `${D} google stops`])
    expect(lendsAt(manager, 'google')).toEqual({ [A]: false, [B]: false, [C]: false, [D]: false })
    expect(lendsAt(manager, 'yahoo')).toEqual({ [A]: true, [B]: true, [C]: true, [D]: true })
  })

  test('a pool that has rested resumes with those IPs that lend, at the moment its rest is over', () => {
    const manager = managerOf(fleet)
    const rule = { id: 'x', restMs: 10 * MINUTE_MS }
    see(manager, [blamed(A, 'google', { rule: { ...rule, restMs: 5 * HOUR_MS } })])
    see(manager, [blamed(B, 'google', { rule })])
    const resumed = pass(manager, NOW + 10 * MINUTE_MS)
    expect([...new Set(changesIn(resumed))].sort()).toEqual([`${B} google lends`, `${C} google lends`, `${D} google lends`])
    expect(lendsAt(manager, 'google')[A]).toBe(false)
  })

  test('the others of the pool keep the share they had', () => {
    const manager = managerOf(fleet)
    for (let second = 0; second < 30; second++)
      see(manager, [delivered(A, 'google'), delivered(B, 'google'), delivered(B, 'google'), delivered(C, 'google')], NOW + second * 1_000)
    see(manager, [blamed(A, 'google')])
    const pace = Object.fromEntries(allow(manager, [{ site: 'google', provider: null, pools: ['main'] }]).map(({ ip, pacePerS }) => [ip, pacePerS]))
    expect(pace[B]).toBeCloseTo(2, 0)
    expect(pace[C]).toBeCloseTo(1, 0)
    expect(pace[D]).toBeLessThan(0.1)
    pass(manager, NOW + 24 * HOUR_MS)
    expect(allow(manager, [{ site: 'google', provider: null, pools: ['main'] }]).find(({ ip }) => ip === C)?.pacePerS).toBeGreaterThan(50)
  })

  test('a pool that has hardly begun is not held to what it has not shown', () => {
    const manager = managerOf(fleet)
    see(manager, [blamed(A, 'google')])
    expect(allow(manager, [{ site: 'google', provider: null, pools: ['main'] }]).find(({ ip }) => ip === B)?.pacePerS).toBeGreaterThan(5)
  })

  test('blocked at three sites at once the IP is quarantined, and only a person ends that', () => {
    const manager = managerOf(fleet)
    const says = see(manager, [listed(A, 'google'), listed(A, 'yahoo'), listed(A, 'apple')])
    expect(modesIn(says).at(-1)).toBe(`${A} serving → quarantined`)
    expect(changesIn(says).at(-1)).toBe(`${A} * stops`)
    expect(modesIn(pass(manager, NOW + 48 * HOUR_MS)).filter((line) => line.startsWith(`${A} quarantined`))).toEqual([])
    expect(lendsAt(manager, 'gmx')[A]).toBe(false)
  })

  test('rows that share a reputation suffer together, each at its own site (Proofpoint and iCloud)', () => {
    const manager = managerOf(fleet)
    see(manager, [delivered(A, 'apple'), delivered(A, 'google')])
    expect(modesIn(see(manager, [blamed(A, 'proofpoint/mx1.pphosted.com')]))).toEqual([
      `${A} proofpoint/mx1.pphosted.com steady → cooling`,
      `${A} apple steady → cooling`,
    ])
  })
})

describe('memory', () => {
  const seen = fc.constantFrom<Seen>(
    ...[A, B, C].flatMap((ip) =>
      ['google', 'yahoo', 'example.jp', 'apple', 'proofpoint/a.example'].flatMap((site) => [
        delivered(ip, site),
        delivered(ip, site),
        blamed(ip, site),
        listed(ip, site),
        blamed(ip, site, { rule: { id: 'rate', threshold: { count: 2, perMs: HOUR_MS } } }),
        { ...delivered(ip, site), outcome: 'bounced', class: 'unknown-user' as const, blames: 'recipient' as const, stage: 'rcpt' as const },
      ]),
    ),
  )
  const history = fc.array(fc.record({ seen: fc.array(seen, { minLength: 1, maxLength: 5 }), afterMs: fc.integer({ min: 0, max: 90 * MINUTE_MS }) }), {
    maxLength: 40,
  })
  const warming = fleetOf({ [A]: { warm_since: '2026-11-01' }, [B]: {}, [C]: { pool: 'other' } })

  test('that was saved anywhere on the way and read again comes to the same counts, modes and events', () => {
    fc.assert(
      fc.property(history, fc.nat(), (steps, cut) => {
        const chunks: SeenChunk[] = []
        for (const { seen, afterMs } of steps) chunks.push({ seq: chunks.length + 1, at: (chunks.at(-1)?.at ?? NOW) + afterMs, tenant: 'acme', seen })
        const whole = managerOf(warming)
        const told = chunks.map((chunk) => observe(whole, chunk))

        const saveAfter = cut % (chunks.length + 1)
        const first = managerOf(warming)
        for (const chunk of chunks.slice(0, saveAfter)) observe(first, chunk)
        const saved = encode(toMemory(first))
        const second = newManager(first.fleet, 20_000)
        fromMemory(second, decode<Memory>(saved))
        const toldAgain = chunks.map((chunk) => observe(second, chunk)) // from an older position: what is counted already is skipped
        expect(countsOf(second)).toEqual(countsOf(whole))
        expect(toldAgain.slice(saveAfter).flatMap(modesIn)).toEqual(told.slice(saveAfter).flatMap(modesIn))
        expect(toMemory(second).ips.map(({ state }) => state.mode)).toEqual(toMemory(whole).ips.map(({ state }) => state.mode))
      }),
      { numRuns: 60 },
    )
  })

  test('is bounded: beyond its pairs the idlest count into the tail, and nothing is lost', () => {
    const manager = managerOf(fleet, 1_000)
    see(manager, [blamed(A, 'worst.example')])
    for (let site = 0; site < 3_000; site++) see(manager, [delivered(A, `site-${site}.example`)], NOW + site)
    expect(countPairs(manager)).toBeLessThanOrEqual(1_000)
    expect(totals(manager).delivered).toBe(3_000)
    expect(manager.ips.get(A)?.pairs.has('worst.example')).toBe(true)
  })

  test('costs 200 bytes a pair, so that 20,000 fit into one message', () => {
    const manager = managerOf(fleet)
    const ips = [A, B, C, D]
    for (let n = 0; n < 2_000; n++) see(manager, [delivered(ips[n % 4] as string, `s${n}.example`)], NOW + n)
    expect(countPairs(manager)).toBe(2_000)
    expect(encode(toMemory(manager)).length).toBeLessThan(2_000 * 200)
  })

  test('of a pool that has nothing left to heed goes', () => {
    const manager = managerOf(fleet)
    see(manager, [blamed(A, 'google')])
    expect(manager.pools.has(poolKey('main', 'google'))).toBe(true)
    for (let hour = 1; hour < 60; hour++) pass(manager, NOW + hour * HOUR_MS)
    expect(manager.pools.size).toBe(0)
  })
})

test('between its moments time costs nothing', () => {
  const manager = managerOf(fleet)
  pass(manager, NOW)
  const says: Say[] = pass(manager, manager.wakeAt - 1)
  expect(says).toEqual([])
  expect(manager.wakeAt).toBe(NOW + MINUTE_MS)
})

function countsOf(manager: Manager) {
  return [...manager.ips.values()].map((ip) => [ip.address, [...ip.pairs.values()].map(({ site, counts, source }) => [site, { ...counts }, source.mode])])
}

function totals(manager: Manager): Counts {
  const sum = noCounts()
  for (const ip of manager.ips.values()) {
    addCounts(sum, ip.tail)
    for (const pair of ip.pairs.values()) addCounts(sum, pair.counts)
  }
  return sum
}
