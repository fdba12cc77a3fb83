import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../protocol/outcome.ts'
import { Tally } from './state.ts'

function outcome(n: number, word: Outcome['outcome'], more: Partial<Outcome> = {}): Outcome {
  return {
    n,
    ref: null,
    rcpt: 'a@b.example',
    outcome: word,
    stage: 'dot',
    code: 250,
    enhanced: null,
    reply: null,
    class: word === 'deferred' ? 'site-busy' : 'delivered',
    blames: 'nobody',
    mx: null,
    ip: null,
    site: 's',
    ms: 1,
    ...more,
  }
}

describe('the tally of a campaign', () => {
  it('counts the first final outcome of a recipient; a later one only says that there may be a duplicate', () => {
    const tally = new Tally()
    tally.count(5, outcome(3, 'delivered'), null)
    tally.count(5, outcome(3, 'bounced'), null)
    expect(tally.counts).toMatchObject({ delivered: 1, bounced: 0, mayBeDuplicate: 1 })
    expect(tally.settled).toBe(1)
  })

  it('knows who is deferred, why and until when, until the outcome comes', () => {
    const tally = new Tally()
    tally.count(5, outcome(3, 'deferred'), 1_000)
    tally.count(5, outcome(4, 'deferred'), 900)
    expect(tally.deferred).toBe(2)
    expect([...tally.waiting()]).toEqual([{ site: 's', because: 'site-busy', count: 2, until: 900 }])
    tally.count(5, outcome(3, 'delivered'), null)
    tally.count(5, outcome(4, 'expired'), null)
    expect(tally.deferred).toBe(0)
    expect([...tally.waiting()]).toEqual([])
  })

  it('settles each recipient once and comes back from its snapshot as it was, whatever the journal holds', () => {
    const entry = fc.record({
      batch: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 ** 45 })),
      n: fc.integer({ min: 0, max: 99 }),
      word: fc.constantFrom('delivered', 'bounced', 'expired', 'deferred', 'cancelled' as const),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 400 }), fc.integer({ min: 0, max: 400 }), (entries, cut) => {
        let tally = new Tally()
        const settled = new Set<string>()
        const deferred = new Set<string>()
        for (const [at, { batch, n, word }] of entries.entries()) {
          if (at === cut) tally = Tally.restore(at, tally.counts, tally.packed())
          tally.count(batch, outcome(n, word), null)
          const who = `${batch}/${n}`
          if (word !== 'deferred') {
            settled.add(who)
            deferred.delete(who)
          } else if (!settled.has(who)) deferred.add(who)
        }
        expect(tally.settled).toBe(settled.size)
        expect(tally.deferred).toBe(deferred.size)
        for (const { batch, n } of entries) expect(tally.isSettled(batch, n)).toBe(settled.has(`${batch}/${n}`))
      }),
    )
  })

  it('remembers over a restart what is waited for, and until when', () => {
    const tally = new Tally()
    tally.count(5, outcome(3, 'deferred', { site: 'a.example' }), 1_800_000_000_123)
    tally.count(70_000_000_000, outcome(99, 'deferred', { site: 'b.example', class: 'greylisted' }), null)
    const again = Tally.restore(9, tally.counts, tally.packed())
    expect([...again.waiting()]).toEqual([...tally.waiting()])
    expect(again.deferred).toBe(2)
  })

  it('takes a few octets for a batch of one recipient, though a list has millions of them', () => {
    const tally = new Tally()
    for (let batch = 0; batch < 100_000; batch++) tally.count(1_000_000_000 + batch, outcome(0, 'delivered'), null)
    expect(tally.packed().length).toBeLessThan(100_000 * 3.1)
  })
})
