import { describe, expect, it } from 'vitest'
import type { Drain } from '../../../protocol/messages/permission.ts'
import { ROUTER_SILENT_MS, SiteViews } from './site-views.ts'

const drain = (epoch: number, upTo: number, sites: Drain['sites']): Drain => ({ shard: 'google', epoch, upTo: { urgent: 0, bulk: upTo }, sites })
const row = (bulk: number) => ({ site: 'google', urgent: 0, bulk, perS: 50, resting: null })
const onTheWay = (views: SiteViews, now: number) => views.onTheWay('google', 'google', 'bulk', now).count

describe('what is on the way to a site', () => {
  it('is what was released and not taken, and what the router says it holds', () => {
    const views = new SiteViews()
    expect(onTheWay(views, 0)).toBe(0)
    views.released('google', 'google', 'bulk', { seq: 7, count: 100 }, 0)
    views.released('google', 'google', 'bulk', { seq: 9, count: 50 }, 0)
    expect(onTheWay(views, 10)).toBe(150)
    views.drained(drain(1, 7, [row(80)]), 20)
    expect(onTheWay(views, 30)).toBe(130)
  })

  it('goes at the pace that was told before anything was released', () => {
    const views = new SiteViews()
    views.drained(drain(1, 0, [row(0)]), 0)
    expect(views.onTheWay('google', 'google', 'bulk', 10)).toMatchObject({ count: 0, perS: 50 })
  })

  it('ends with the epoch of the router that held it: the next one takes it from the stream and tells', () => {
    const views = new SiteViews()
    views.released('google', 'google', 'bulk', { seq: 7, count: 100 }, 0)
    views.drained(drain(1, 0, [row(300)]), 10)
    views.drained(drain(2, 0, []), 20)
    expect(onTheWay(views, 30)).toBe(0)
    views.drained(drain(1, 0, [row(300)]), 40) // the zombie is not believed
    expect(onTheWay(views, 50)).toBe(0)
  })

  it('ends for a site that a message leaves out, and for all when the router is silent', () => {
    const views = new SiteViews()
    views.drained(drain(1, 0, []), 0)
    expect(onTheWay(views, 1)).toBe(0)
    views.drained(drain(1, 0, [row(300)]), 10)
    expect(onTheWay(views, 10 + ROUTER_SILENT_MS - 1)).toBe(300)
    expect(onTheWay(views, 10 + ROUTER_SILENT_MS)).toBe(0)
    views.drained(drain(1, 0, [row(300)]), 5_000)
    views.drained(drain(1, 0, []), 5_500)
    expect(onTheWay(views, 5_600)).toBe(0)
  })

  it('is what the router has not taken in yet, site by site, also where it tells of none of them', () => {
    const views = new SiteViews()
    const at = (site: string) => views.onTheWay(site, 't07', 'bulk', 30).count
    views.drained({ ...drain(1, 0, []), shard: 't07' }, 0)
    for (const [n, site] of ['a.example', 'b.example', 'a.example'].entries()) views.released(site, 't07', 'bulk', { seq: n + 1, count: 5 }, 10)
    expect([at('a.example'), at('b.example')]).toEqual([10, 5])
    views.drained({ ...drain(1, 2, []), shard: 't07' }, 20)
    expect([at('a.example'), at('b.example')]).toEqual([5, 0])
    views.keepOnly((site) => site === 'b.example')
    views.drained({ ...drain(1, 3, []), shard: 't07' }, 25)
    expect([at('a.example'), at('b.example')]).toEqual([0, 0])
  })

  it('rests for one pool or one From domain alone, and others go on', () => {
    const views = new SiteViews()
    const restingSenders = [{ from: 'acme.example', because: 'reputation', until: 900 }]
    views.drained(drain(1, 0, [{ ...row(0), restingPools: [{ pool: 'q', because: 'cooling', until: 500 }], restingSenders }]), 0)
    expect(views.partRest('google', { pool: 'p', from: 'acme.example' })).toMatchObject({ because: 'reputation', until: 900 })
    expect(views.partRest('google', { pool: 'q', from: 'other.example' })).toMatchObject({ because: 'cooling' })
    expect(views.partRest('google', { pool: 'p', from: 'other.example' })).toBeNull()
    expect(views.partRest('google', { pool: 'p' })).toBeNull()
    views.drained(drain(1, 0, [row(0)]), 10)
    expect(views.partRest('google', { pool: 'p', from: 'acme.example' })).toBeNull()
  })

  it('is forgotten with the last campaign that sends there', () => {
    const views = new SiteViews()
    onTheWay(views, 0)
    views.keepOnly(() => false)
    expect(views.size).toBe(0)
  })
})
