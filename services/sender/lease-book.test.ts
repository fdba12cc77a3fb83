import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaseBook } from './lease-book.ts'

/** A lease whose every change is said, as a holder says it. */
class Model {
  readonly lease: { id: string; shard: string; sessions: number }
  ended = false
  toldAt = Number.NEGATIVE_INFINITY
  idle = true
  lingering = 0
  news = true
  constructor(id: number) {
    this.lease = { id: `l${id}`, shard: `t${id % 3}`, sessions: 1 + (id % 4) }
  }
  hasNews() {
    return this.ended || this.news
  }
  sessions() {
    return this.lingering
  }
}

const step = fc.record({
  what: fc.constantFrom('add', 'grow', 'work', 'end', 'report', 'lost', 'forget', 'pass'),
  which: fc.nat(11),
  by: fc.integer({ min: 1, max: 9 }),
})

test('sessions lent, and who is to be told, are what a look at every lease would find', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const book = new LeaseBook<Model>()
      const all = new Map<string, Model>()
      let now = 0
      for (const { what, which, by } of steps) {
        const lease = all.get(`l${which}`)
        if (what === 'add' && lease === undefined) {
          const added = new Model(which)
          all.set(added.lease.id, added)
          book.add(added)
        } else if (what === 'pass') now += by * 100
        else if (what === 'report') {
          const shard = `t${which % 3}`
          const idleMs = by > 5 ? 0 : 1_000
          const expected = [...all.values()].filter(
            (one) => one.lease.shard === shard && (one.hasNews() || now - one.toldAt >= 1_000 || (one.idle && now - one.toldAt >= idleMs)),
          )
          const told = book.toTell(shard, now, { quietMs: 1_000, idleMs })
          expect(new Set(told)).toEqual(new Set(expected))
          expect(told).toHaveLength(expected.length)
          for (const one of told) {
            one.news = false
            one.toldAt = now
            book.told(one)
          }
        } else if (lease !== undefined) {
          if (what === 'forget') {
            book.forget(lease.lease.id)
            all.delete(lease.lease.id)
            book.stirred(lease) // a socket of it that closes late
            continue
          }
          if (what === 'grow') lease.lease.sessions = by
          if (what === 'work') Object.assign(lease, { news: true, idle: by > 5 })
          if (what === 'end') Object.assign(lease, { ended: true, lingering: by % 3 })
          if (what === 'lost') Object.assign(lease, { news: true, toldAt: Number.NEGATIVE_INFINITY })
          book.stirred(lease)
        }
        expect(book.lent()).toBe([...all.values()].reduce((sum, one) => sum + (one.ended ? one.lingering : one.lease.sessions), 0))
        expect(new Set(book.shards())).toEqual(new Set([...all.values()].map((one) => one.lease.shard)))
      }
    }),
  )
})
