import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HeldOrder } from '../../../protocol/messages/mail.ts'
import { ORDER_ACK_WAIT_MS, WORKING_EVERY_MS } from '../../../protocol/streams.ts'
import { LANES, type Lane } from '../../../protocol/words.ts'
import { keptAlive, keptAliveForGrant } from './keep-alive.ts'
import { GRANT_TIMEOUT_MS, LOOK_MS } from './numbers.ts'
import type { Waiting } from './queue.ts'

const order = (lane: Lane, arrivedAt: number): Waiting => ({ held: { order: { lane }, seq: 1, ackSubject: 'ack' } as HeldOrder, touchedAt: arrivedAt })

/** The moments of the router's looks, each up to 50 ms late. */
const looks = fc
  .tuple(fc.integer({ min: 0, max: 1_000_000_000 }), fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 100, maxLength: 200 }))
  .map(([from, late]) => late.map((ms, n) => from + n * LOOK_MS + ms))

test('what waits has a sign of life at least each third of ack_wait, and one more look', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LANES), looks, fc.nat(20_000), (lane, at, after) => {
      const arrivedAt = (at[0] as number) + after
      const waiting = order(lane, arrivedAt)
      let last = arrivedAt
      for (const mono of at.filter((mono) => mono >= arrivedAt)) {
        expect(mono - last).toBeLessThanOrEqual(WORKING_EVERY_MS[lane] + LOOK_MS + 50)
        if (keptAlive(waiting, mono)) last = mono
        expect(waiting.touchedAt).toBe(last)
      }
    }),
  )
})

test('however many orders wait, whenever they came: their signs of life are said at one look in a third of ack_wait', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LANES), looks, fc.array(fc.nat(20_000), { minLength: 1, maxLength: 50 }), (lane, at, after) => {
      const orders = after.map((ms) => order(lane, (at[0] as number) + ms))
      const said = at.filter((mono) =>
        orders
          .filter(({ touchedAt }) => touchedAt <= mono)
          .map((waiting) => keptAlive(waiting, mono))
          .includes(true),
      )
      const turns = said.map((mono) => Math.floor(mono / WORKING_EVERY_MS[lane]))
      expect(new Set(turns).size).toBe(turns.length)
    }),
  )
})

test('an order that is granted lives until its sender says so: a grant that takes its second, then a third of ack_wait', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LANES), looks, fc.nat(20_000), fc.nat(20_000), (lane, at, after, later) => {
      const arrivedAt = (at[0] as number) + after
      const waiting = order(lane, arrivedAt)
      const grantedAt = arrivedAt + later
      for (const mono of at) if (mono >= arrivedAt && mono < grantedAt) keptAlive(waiting, mono)
      keptAliveForGrant(waiting, grantedAt)
      expect(grantedAt + GRANT_TIMEOUT_MS + WORKING_EVERY_MS[lane] - waiting.touchedAt).toBeLessThan(ORDER_ACK_WAIT_MS[lane])
    }),
  )
})
