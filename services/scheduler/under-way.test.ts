import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../protocol/outcome.ts'
import { Tally } from './state.ts'
import { UnderWay } from './under-way.ts'

const outcome = (n: number, word: Outcome['outcome']) => ({ n, site: 'a.example', outcome: word, class: 'delivered' }) as Outcome
const none = () => ({ because: 'under-way', until: null })

describe('what was released', () => {
  it('is told by site with the reason that holds it up, and without those the tally tells as deferred', () => {
    const tally = new Tally()
    const underWay = new UnderWay(tally)
    underWay.released(5, 'a.example', 10)
    underWay.released(6, 'a.example', 3)
    underWay.released(7, '~dns/b.example', 2)
    tally.count(5, outcome(0, 'delivered'), null)
    tally.count(5, outcome(1, 'deferred'), 1_000)
    underWay.rests(7, { because: 'dns', until: 2_000 })
    expect([...underWay.waiting((site) => (site === 'a.example' ? { because: 'rate', until: 9_000 } : none()))]).toEqual([
      { site: 'a.example', count: 11, because: 'rate', until: 9_000 },
      { site: '~dns/b.example', count: 2, because: 'dns', until: 2_000 },
    ])
    underWay.sent(7, 'b.example')
    expect([...underWay.waiting(none)].at(-1)).toEqual({ site: 'b.example', count: 2, because: 'under-way', until: null })
  })

  it('is forgotten when everybody has an outcome, also when those came before the release was known', () => {
    const tally = new Tally()
    const underWay = new UnderWay(tally)
    underWay.released(5, 'a.example', 2)
    tally.count(5, outcome(0, 'delivered'), null)
    underWay.counted(5)
    expect(underWay.size).toBe(1)
    tally.count(5, outcome(1, 'bounced'), null)
    underWay.counted(5)
    tally.count(6, outcome(0, 'delivered'), null)
    underWay.released(6, 'a.example', 1)
    expect(underWay.size).toBe(0)
  })
})
