import { describe, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/messages/permission.ts'
import { Desk, seqs } from './desk.testkit.ts'
import { GRANT_HEARD_MS, GRANT_TIMEOUT_MS } from './numbers.ts'

/** A grant of one order to a sender that says nothing until it has waited for too long. */
function stalled(desk = new Desk()): { desk: Desk; grant: Grant } {
  desk.arrive(desk.order({ count: 2 }))
  desk.allow()
  const [asked] = desk.take('grant')
  desk.pass(GRANT_TIMEOUT_MS)
  expect(desk.events()).toContainEqual(expect.objectContaining({ event: 'grantUnanswered', orders: 1 }))
  return { desk, grant: asked?.grant as Grant }
}

/** A lease that is held, and a grant of more orders for it on its way. */
function askedMore() {
  const desk = new Desk()
  desk.arrive(desk.order({ count: 2 }))
  desk.allow()
  const [lease] = desk.accept()
  desk.arrive(desk.order({ count: 2 }))
  desk.allow()
  const [asked] = desk.take('grant')
  return { desk, lease, asked }
}

describe('the answer to a grant that comes after a second', () => {
  test('refused: its orders go out again at once, not when their ack_wait is over', () => {
    const { desk, grant } = stalled()
    desk.allow()
    expect(desk.take('grant')).toEqual([])
    desk.answer(grant, { kind: 'refused', because: 'stale-tick' })
    desk.here()
    const [again] = desk.take('grant')
    expect(seqs([again?.grant as Grant])).toEqual([1])
    expect(again?.grant.lease.id).not.toBe(grant.lease.id)
    // nobody has said +WPI for so long: what goes out is kept alive first
    expect(desk.take('touch').map(({ held }) => held.seq)).toContain(1)
    expect(desk.events()).toContainEqual(expect.objectContaining({ event: 'grantRefused', because: 'stale-tick', orders: 1 }))
  })

  test('refused, and the order came back by itself meanwhile: it is not there twice', () => {
    const { desk, grant } = stalled()
    desk.arrive({ ...(grant.orders[0] as Grant['orders'][number]), ackSubject: 'ack.1.again' })
    desk.answer(grant, { kind: 'refused', because: 'stale-tick' })
    desk.here()
    desk.allow()
    const orders = desk.accept().flatMap((one) => one.orders)
    expect(orders.map(({ seq, ackSubject }) => [seq, ackSubject])).toEqual([[1, 'ack.1.again']])
  })

  test('accepted: it is held, and takes more', () => {
    const { desk, grant } = stalled()
    desk.answer(grant, { kind: 'accepted' })
    desk.arrive(desk.order({ count: 2 }))
    desk.allow()
    const [more] = desk.accept()
    expect(more?.lease.id).toBe(grant.lease.id)
    expect(seqs([more as Grant])).toEqual([2])
  })

  test('refused for a lease that goes on: only that grant’s orders are free', () => {
    const { desk, lease, asked } = askedMore()
    expect(asked?.grant.lease.id).toBe(lease?.lease.id)
    desk.pass(GRANT_TIMEOUT_MS)
    desk.report(lease as Grant, { queued: 2 })
    desk.answer(asked?.grant as Grant, { kind: 'refused', because: 'stale-tick' })
    desk.here()
    desk.allow()
    expect(seqs(desk.accept())).toEqual([2])
  })

  test('none at all: once the sender cannot have taken it any more, its orders go out again', () => {
    const { desk, grant } = stalled()
    desk.mono += GRANT_HEARD_MS - GRANT_TIMEOUT_MS
    desk.unanswered(grant)
    desk.pass(500)
    desk.allow()
    expect(seqs(desk.accept())).toEqual([1])
  })
})

describe('a lease that is closed', () => {
  test('while a grant for it is on its way: the refusal still frees the orders', () => {
    const { desk, lease, asked } = askedMore()
    desk.report(lease as Grant, { open: 0, ended: [1], closed: true })
    desk.answer(asked?.grant as Grant, { kind: 'refused', because: 'no-room' })
    desk.here()
    desk.allow()
    expect(seqs(desk.accept())).toEqual([2])
  })

  test('with orders that its sender neither ended nor gave back, since its time ran out there: they go out again at once', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 2 }), desk.order({ count: 2 }))
    desk.allow()
    const [lease] = desk.accept()
    expect(seqs([lease as Grant])).toEqual([1, 2])
    desk.report(lease as Grant, { open: 0, ended: [1], closed: true })
    desk.here()
    desk.allow()
    expect(seqs(desk.accept())).toEqual([2])
  })
})
