import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Numbers } from '../held-lease.ts'
import { dropLease, type Moment, newShard, type Pair, siteOf } from '../state.ts'
import { countedOfPair, mustBeGone } from './count.ts'
import { WALL } from './desk.testkit.ts'
import { lendingFor, newLease, tellNumbers } from './lend.ts'
import { networkOf } from './network.ts'
import { GUARD_MS, LEASE_MS } from './numbers.ts'
import { pairOf } from './pairs.ts'

const step = fc.record({
  sender: fc.nat(2),
  afterMs: fc.integer({ min: 0, max: 3_000 }),
  recipients: fc.nat(200),
  room: fc.nat(10),
  split: fc.boolean(),
  /** the answer never reaches the sender, which goes on under what it was told before */
  lost: fc.boolean(),
  /** the window's word at that moment, of the row's 9 */
  sessions: fc.integer({ min: 1, max: 9 }),
})

describe('what leases of one source at one site are told', () => {
  test('never adds up to more than the row’s sessions, pace, connects or sessions to one address, counting what may not have arrived', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const network = networkOf({
          ip: [{ address: '192.0.2.1', pool: 'p', ehlo: 'e.example', egress: 'bind' }],
          isp: [{ name: 'tail', sessions_per_ip: 9, mails_per_second: 30, connects_per_minute: 60 }],
        })
        const shard = newShard('t00', 'r1', new Map(), network)
        const at = { now: WALL, mono: 0, dice: () => 0.5, mayGrant: true }
        const site = siteOf(shard, 'example.jp', null, 0)
        const pair: Pair = pairOf(shard, site, '192.0.2.1', 'p', at)
        const truth = new Map<string, { numbers: Numbers; until: number }>()
        for (const { sender: id, afterMs, recipients, room, split, lost, sessions } of steps) {
          at.mono += afterMs
          const moment: Moment = at
          for (const lease of [...pair.leases]) if (mustBeGone(lease, moment.mono)) dropLease(shard, lease)
          if (split) pair.splitUntil = moment.mono + 5_000
          const gate = { kind: 'go' as const, sessions, pacePerS: 30, budget: null }
          const lease = [...pair.leases].find(({ sender }) => sender === `s${id}`) ?? null
          const before = countedOfPair(pair, moment.mono)
          const next = lendingFor(shard, site, pair, gate, lease, { recipients, room }, moment)
          if (next === null) continue
          if (lease) tellNumbers(lease, next, moment.mono + LEASE_MS + GUARD_MS, moment.mono)
          else {
            const sender = {
              id: `s${id}`,
              tick: 0,
              tickAt: 0,
              heardAt: 0,
              free: room,
              ips: new Set(['192.0.2.1']),
              stopping: false,
              manyGrants: false,
              notBefore: 0,
              wantedUntil: 0,
              refusedIps: new Map(),
              asked: new Map(),
            }
            newLease(shard, site, pair, sender, next, moment)
          }
          const told = truth.get(`s${id}`)
          if (!lost || told === undefined || told.until <= moment.mono) truth.set(`s${id}`, { numbers: next.numbers, until: moment.mono + LEASE_MS })
          const really = [...truth.values()].filter(({ until }) => until > moment.mono)
          expect(really.reduce((sum, { numbers }) => sum + numbers.sessions, 0)).toBeLessThanOrEqual(9)
          expect(really.reduce((sum, { numbers }) => sum + numbers.pacePerS, 0)).toBeLessThanOrEqual(30 + 1e-6)

          const sum = countedOfPair(pair, moment.mono)
          expect(sum.sessions).toBeLessThanOrEqual(9)
          expect(sum.sessions).toBeLessThanOrEqual(Math.max(sessions, before.sessions)) // a window that fell is never exceeded further
          expect(sum.pacePerS).toBeLessThanOrEqual(30 + 1e-6)
          expect(sum.connectsPerMinute).toBeLessThanOrEqual(60 + 1e-6)
          expect(sum.perAddress).toBeLessThanOrEqual(5)
        }
      }),
      { numRuns: 2_000 },
    )
  }, 60_000)
})
