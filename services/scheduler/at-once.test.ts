import { describe, expect, it } from 'vitest'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import { AtOnce } from './at-once.ts'
import { NOTHING_READ, type Running } from './campaigns.ts'
import type { Group } from './grouping.ts'
import { AllotmentBook, type AllotmentRules } from './policy/allotments.ts'
import { SAMPLE } from './policy/sample.ts'
import { SiteViews } from './policy/site-views.ts'
import { queueOf } from './restore.ts'
import { Tally } from './state.ts'
import { UnderWay } from './under-way.ts'

const NOW = 1_000_000
const NO_RULES: AllotmentRules = { tenant: () => undefined, share: () => null, fromPlan: () => ({ start: 0, factor: 2 }) as never }

function campaign(id: string, change: Partial<CampaignRecord> = {}): Running {
  const rules = { lane: 'bulk', pool: 'p', weight: 1, rate: null, window: null, inline: 10, list: null, startAt: NOW - 1, deadline: NOW + 1_000_000 }
  const tally = new Tally()
  return {
    record: { tenant: 'acme', id, state: 'running', ...rules, ...change } as CampaignRecord,
    expansion: NOTHING_READ,
    queues: new Map(),
    underWay: new UnderWay(tally),
    restores: 0,
    tally,
  } as unknown as Running
}

function group(site: string, size = 5): Group {
  const recipients = Array.from({ length: size }, (_, n) => ({ address: `r${n}@${site}` }))
  return { place: 'site', site, provider: null, shard: 't01', recipients, first: 0, bytes: 100 }
}

function desk(running: readonly Running[], rules: Partial<AllotmentRules> = {}) {
  const views = new SiteViews()
  const book = new AllotmentBook({ ...NO_RULES, ...rules })
  const released: Running[] = []
  const atOnce = new AtOnce({ campaigns: { all: () => running.values() as never }, book, now: () => NOW, onReleased: (one) => void released.push(one) }, views)
  return { atOnce, views, released }
}
const rest = { because: 'rate', until: NOW + 60_000 }
const row = (site: string, told: object) => ({ site, urgent: 0, bulk: 0, perS: 0, resting: null, ...told })

describe('a step of an expansion', () => {
  it('takes the orders of its small batches along where nothing holds them back', () => {
    const running = campaign('a')
    const groups = [group('one.example'), group('two.example')]
    const { atOnce, released, views } = desk([running])
    expect([...atOnce.choose(running, groups)]).toEqual(groups)
    atOnce.went(running, [
      { group: groups[0] as Group, seq: 7, count: 5 },
      { group: groups[1] as Group, seq: 8, count: 5 },
    ])
    expect(released).toEqual([running])
    expect([...running.underWay.sites()]).toEqual(['one.example', 'two.example'])
    expect(views.onTheWay('one.example', 't01', 'bulk', NOW).count).toBe(5)
  })

  it.each<[string, Partial<CampaignRecord>]>([
    ['paused', { state: 'paused' }],
    ['cancelled', { state: 'cancelling' }],
    ['to start later', { startAt: NOW + 1 }],
    ['over', { deadline: NOW }],
    ['bound to a rate', { rate: 5 }],
    ['bound to daily hours', { window: { from: '08:00', to: '20:00', tz: 'Asia/Tokyo' } }],
  ])('leaves those of a campaign that is %s to the releaser', (_, change) => {
    const running = campaign('a', change)
    expect(desk([running]).atOnce.choose(running, [group('one.example')]).size).toBe(0)
  })

  it('passes nobody who waits to be released to the same site', () => {
    const running = campaign('a')
    const other = campaign('b')
    queueOf(other.queues, group('one.example')).batches.push({ seq: 1, count: 5 })
    expect([...desk([running, other]).atOnce.choose(running, [group('one.example'), group('two.example')])].map(({ site }) => site)).toEqual(['two.example'])
  })

  it('sends nothing to a site that rests, wholly or for this pool, is held for the campaign, or has enough', () => {
    const running = campaign('a', { heldSites: { 'held.example': { because: 'unknown-users', says: '', at: NOW } } })
    const { atOnce, views } = desk([running])
    views.released('rests.example', 't01', 'bulk', { seq: 1, count: 1 }, NOW)
    views.released('pool.example', 't01', 'bulk', { seq: 2, count: 1 }, NOW)
    const rows = [row('rests.example', { resting: rest }), row('pool.example', { restingPools: [{ pool: 'p', ...rest }] })]
    views.drained({ shard: 't01', epoch: 1, upTo: { urgent: 0, bulk: 2 }, sites: rows }, NOW)
    views.released('full.example', 't01', 'bulk', { seq: 9, count: 296 }, NOW)
    const sites = ['rests.example', 'pool.example', 'held.example', 'full.example', 'free.example']
    const groups = sites.map((site) => group(site))
    expect([...atOnce.choose(running, groups)].map(({ site }) => site)).toEqual(['free.example'])
  })

  it("charges what it takes along, so that a tenant's day ends within a step too", () => {
    const running = campaign('a')
    const { atOnce } = desk([running], { tenant: () => ({ daily_limit: 12 }) as never })
    expect(atOnce.choose(running, [group('one.example'), group('two.example'), group('three.example')]).size).toBe(2)
  })

  it('shows a site of a large campaign no more than a sample before its outcomes are in', () => {
    const running = campaign('a', { inline: SAMPLE.large })
    const { atOnce } = desk([running])
    let shown = 0
    for (let seq = 1; seq <= 60; seq++) {
      const one = group('one.example', 10)
      if (!atOnce.choose(running, [one]).has(one)) break
      atOnce.went(running, [{ group: one, seq, count: 10 }])
      shown += 10
    }
    expect(shown).toBe(SAMPLE.least)
  })
})
