/** What people see of campaigns, IPs, sites and the fleet: that it fits, and says what matters. */
import { describe, expect, it } from 'vitest'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import type { IpReputation, IspReputation, IspStatus } from '../../protocol/messages/ops.ts'
import { campaignLines, progressText, rateText } from './campaign-screen.ts'
import { ipDetailLines, ipLines, modesOf } from './ip-screen.ts'
import { siteLines, siteTable } from './isp-screen.ts'
import { widthOf } from './text.ts'

const now = new Date(2026, 10, 24, 14, 0, 0).getTime()
const in40s = new Date(now + 40_000).toISOString()
const look = (width: number) => ({ now, width, paint: (_: string, text: string) => text })

const status: CampaignStatus = {
  id: 'spring-2026',
  tenant: 'acme',
  state: 'running',
  recipients: 1_000,
  delivered: 480,
  unconfirmed: 2,
  bounced: 20,
  expired: 0,
  suppressed: 5,
  cancelled: 0,
  waiting: 495,
  deferred: 30,
  duplicates: 3,
  unusable: 0,
  listRead: 1_003,
  mayBeDuplicate: 0,
  bouncedLater: 0,
  complained: 1,
  unsubscribed: 0,
  acceptedAt: new Date(now - 20_000).toISOString(),
  startedAt: new Date(now - 10_000).toISOString(),
  finishedAt: null,
  waitingFor: [
    { site: 'google', count: 400, because: 'too-many-connections', until: in40s },
    { site: 'outlook', count: 90, because: 'under-way', until: null },
    { site: 'a-very-long-name-of-some-hosting-box-somewhere.example.jp', count: 30, because: 'greylisted', until: null },
  ],
}

describe('a campaign', () => {
  it('shows how far it is, what became of the recipients, and what waits why until when', () => {
    expect(campaignLines({ ...status, waitingFor: status.waitingFor.slice(0, 2) }, look(80))).toEqual([
      'acme/spring-2026  running  started 13:59:50, 10 s ago',
      '  ███████████████···············  50.5 % settled, 505 of 1,000 recipients',
      '  480 delivered (2 unconfirmed) · 20 bounced · 5 suppressed ·',
      '  495 waiting (30 deferred)',
      '  3 duplicates in the list · 1 complained',
      '  95 recipients are on the way',
      '',
      '  waiting for  recipients  because               until',
      '  google              400  too-many-connections  14:00:40 (in 40 s)',
    ])
  })

  it.each([60, 80, 120])('fits %d columns', (width) => {
    for (const line of campaignLines(status, look(width))) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(width, 74))
  })

  it('that has ended says when, and how fast it was', () => {
    const ended = {
      ...status,
      state: 'finished',
      delivered: 980,
      bounced: 15,
      waiting: 0,
      deferred: 0,
      waitingFor: [],
      finishedAt: new Date(now).toISOString(),
    } as const
    expect(campaignLines(ended, look(80))[0]).toBe('acme/spring-2026  finished  14:00:00, after 10 s')
    expect(rateText(ended)).toBe('98 % delivered in 10 s, 100 recipients a second')
    expect(progressText(ended)).toBe(
      'acme/spring-2026 finished: 1,000 of 1,000 recipients settled (100 %); 980 delivered (2 unconfirmed), 15 bounced, 5 suppressed, 0 waiting',
    )
  })
})

const isp = (more: Partial<IspReputation>): IspReputation => ({
  mode: 'steady',
  score: 1,
  because: null,
  until: null,
  delivered: 100,
  deferred: 0,
  bounced: 0,
  blocked: 0,
  complaints: 0,
  rampDay: null,
  rampLimit: null,
  sentToday: 100,
  leases: [],
  ...more,
})
const reputation: IpReputation = {
  ips: [
    {
      address: '203.0.113.7',
      pool: 'acme',
      mode: 'serving',
      because: null,
      until: null,
      isps: {
        google: isp({ mode: 'warming', rampDay: 3, rampLimit: 1_000, complaints: 'unknown', leases: [{ sender: 's1', sessions: 2, until: in40s, epoch: 4 }] }),
        docomo: isp({ mode: 'blocked', because: '550 delisting wanted', blocked: 7, delivered: 900 }),
      },
    },
    { address: '203.0.113.8', pool: 'acme', mode: 'quarantined', because: 'listed', until: in40s, isps: {} },
  ],
}

describe('IPs', () => {
  it('are a line each, with what needs attention first', () => {
    const lines = ipLines(reputation, look(120))
    expect(lines[1]).toBe('203.0.113.7  acme  serving      1 blocked, 1 warming      1,000        7         2')
    expect(lines[2]).toContain('listed')
    expect(lines[2]).toContain('14:00:40 (in 40 s)')
    expect(ipLines({ ips: [] }, look(80))).toEqual(['The fleet has no IP; hato apply FLEET gives it some.'])
  })

  it('by site, the busiest first, with the ramp while it warms up', () => {
    const lines = ipDetailLines(reputation.ips[0] as IpReputation['ips'][number], look(140))
    expect(lines[3]).toMatch(/^ {2}docomo +blocked +1\.00 +900 +7 +0? +550 delisting wanted$/)
    expect(lines[4]).toMatch(/google +warming .*\? +100 of 1,000, day 3 +2$/)
    expect(lines.at(-1)).toContain('? = the site tells nobody')
  })

  it('of one IP tell who brought blame on it, and which block lists name it', () => {
    const [ip] = reputation.ips as [IpReputation['ips'][number]]
    const google = { ...isp({}), blamedBy: { acme: 3, rival: 1 }, tenantShares: { acme: 0.25 } }
    const lines = ipDetailLines({ ...ip, listings: { 'bl.example': '127.0.0.2' }, isps: { google } }, look(140)).join('\n')
    expect(lines).toContain('listed on bl.example (127.0.0.2)')
    expect(lines).toContain('google: acme 3 (its share there: 0.25), rival 1')
  })

  it.each([80, 100, 120])('fit %d columns', (width) => {
    const all = [...ipLines(reputation, look(width)), ...reputation.ips.flatMap((ip) => ipDetailLines(ip, look(width)))]
    for (const line of all) expect(widthOf(line)).toBeLessThanOrEqual(width)
  })

  it('count modes, the worst first', () => {
    expect(modesOf([isp({}), isp({ mode: 'cooling' }), isp({})])).toBe('1 cooling, 2 steady')
  })
})

const site = (name: string, more: Partial<IspStatus['sites'][number]>): IspStatus['sites'][number] => ({
  site: name,
  owner: 'r1',
  epoch: 3,
  waiting: { urgent: 0, bulk: 0 },
  ips: [],
  resting: null,
  actions: [],
  lastReplies: [],
  ...more,
})

describe('sites', () => {
  const rests = site('google', {
    waiting: { urgent: 0, bulk: 1_200 },
    resting: { because: 'rate', until: in40s },
    actions: [{ id: 'limit-1', action: 'limit', by: 'ops: taro', until: in40s }],
    ips: [{ address: '203.0.113.7', mode: 'steady', window: 5, open: 2, pace: 12.345, because: null }],
    lastReplies: [{ at: in40s, ip: '203.0.113.7', reply: '421 4.7.28 Gmail has detected an unusual rate\x1b[2J of mail' }],
  })

  it('are a line each, the fullest first', () => {
    const lines = siteTable({ sites: [site('docomo', {}), rests] }, look(120))
    expect(lines[1]).toMatch(/^google +1,200 +2 +5 +12 +1 +rate +14:00:40 \(in 40 s\) +limit-1$/)
    expect(lines[2]).toBe('docomo')
  })

  it('in detail show IPs, orders of people and whole replies, without their control characters', () => {
    const text = siteLines(rests, look(60)).join('\n')
    expect(text).toContain('rests because rate, until 14:00:40 (in 40 s)')
    expect(text).toMatch(/limit +limit-1 +ops: taro/)
    expect(text.replace(/\s+/g, ' ')).toContain('421 4.7.28 Gmail has detected an unusual rate·[2J of mail')
    expect(text).not.toContain('\x1b')
  })

  it.each([70, 80, 120])('fit %d columns', (width) => {
    for (const line of [...siteTable({ sites: [rests] }, look(width)), ...siteLines(rests, look(width))]) expect(widthOf(line)).toBeLessThanOrEqual(width)
  })
})
