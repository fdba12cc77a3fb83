import { describe, expect, it } from 'vitest'
import type { IpReputation, IspStatus } from '../../../protocol/messages/ops.ts'
import type { Order } from '../../../protocol/messages/mail.ts'
import { widthOf } from '../text.ts'
import { judgeActors, shardsOf } from './actors.ts'
import { bad, good, note, warning } from './diagnosis.ts'
import { tellFindings } from './fleet.ts'
import { judgeHeld } from './held.ts'
import { judgeIps } from './ips.ts'
import { judgeMail, scheduledAt } from './mail.ts'
import { judgeServer, judgeStore, judgeStreams } from './nats.ts'
import { judgeReplies } from './replies.ts'
import { chapterLines, isHealthy, verdictLine } from './screen.ts'
import { judgeSites } from './sites.ts'

const now = new Date(2026, 10, 24, 14, 0, 0).getTime()
const iso = (afterMs: number) => new Date(now + afterMs).toISOString()
const paint = (_: string, text: string) => text
const verdicts = (lines: readonly { readonly verdict: string }[]) => lines.map(({ verdict }) => verdict)

describe('NATS', () => {
  it.each([
    [{ version: '2.15.1', jetstream: true, maxPayload: 8_388_608 }, 'good'],
    [{ version: '2.15.1', jetstream: true, maxPayload: 1_048_576 }, 'warning'],
    [{ version: '2.10.4', jetstream: true, maxPayload: 8_388_608 }, 'bad'],
    [{ version: '2.12.0', jetstream: false, maxPayload: 8_388_608 }, 'bad'],
  ])('%o is %s', (info, verdict) => expect(judgeServer(info, 'nats://a:4222').verdict).toBe(verdict))

  it.each([
    [0, 'good'],
    [55, 'good'],
    [60, 'warning'],
    [71, 'bad'],
    [81, 'bad'],
  ])('a store %d %% full is %s', (share, verdict) => {
    expect(judgeStore({ usedBytes: share * 1e9, allowedBytes: 100e9 }).verdict).toBe(verdict)
  })

  it('has all streams, some, or has never seen a cluster', () => {
    const state = { messages: 1, bytes: 10, firstSeq: 1, lastSeq: 1 }
    expect(
      judgeStreams(
        new Map([
          ['JOBS', state],
          ['EVENTS', state],
        ]),
      )[0]?.verdict,
    ).toBe('good')
    expect(
      judgeStreams(
        new Map([
          ['JOBS', state],
          ['EVENTS', null],
        ]),
      )[0],
    ).toMatchObject({ verdict: 'bad', says: expect.stringContaining('EVENTS') })
    expect(judgeStreams(new Map([['JOBS', null]]))[0]).toMatchObject({ verdict: 'bad', says: expect.stringContaining('no cluster has run') })
  })
})

describe('actors', () => {
  const all = (owner: string | null) =>
    new Map([...shardsOf('domain-router', []).map((shard) => [`domain-router.${shard}`, owner] as const), ['scheduler.all', 's1'], ['ip-manager.all', 'i1']])
  const nodes = new Map([
    ['scheduler', ['s1']],
    ['domain-router', ['r1']],
    ['ip-manager', ['i1']],
    ['sender', ['x1', 'x2']],
  ])

  it('live and own everything', () => {
    expect(verdicts(judgeActors({ nodes, owners: all('r1') }, []))).toEqual(['good', 'good', 'good', 'good'])
  })
  it('that are missing are named with what it means', () => {
    const [, router, , sender] = judgeActors({ nodes: new Map([...nodes, ['sender', []]]), owners: all('dead') }, [])
    expect(router).toMatchObject({ verdict: 'warning', says: expect.stringMatching(/\d+ shards of \d+ have no owner that lives/) })
    expect(sender).toMatchObject({ verdict: 'bad', says: expect.stringContaining('nothing is sent') })
  })
})

describe('the fleet', () => {
  it('tells what is well in a line a kind, what is not in a line each with what to publish', () => {
    const publish = { name: '_dmarc.acme.example', type: 'TXT', text: 'v=DMARC1; p=none' } as const
    const lines = tellFindings([
      { about: 'ptr', of: '203.0.113.7', verdict: 'good', message: 'agree' },
      { about: 'ptr', of: '203.0.113.8', verdict: 'good', message: 'agree' },
      { about: 'dmarc', of: 'acme.example', verdict: 'bad', message: 'has no DMARC record', publish },
      { about: 'from', of: 'acme.example', verdict: 'good', message: 'MX mx.acme.example' },
    ])
    expect(lines).toEqual([
      { verdict: 'bad', says: 'DMARC: acme.example: has no DMARC record', publish },
      { verdict: 'good', says: 'From domain: acme.example: MX mx.acme.example' },
      { verdict: 'good', says: 'PTR and EHLO: 2 IPs (203.0.113.7, 203.0.113.8) are as they should be' },
    ])
  })
})

describe('IPs', () => {
  const ip = (address: string, more: Partial<IpReputation['ips'][number]> = {}): IpReputation['ips'][number] => ({
    address,
    pool: 'p',
    mode: 'serving',
    because: null,
    until: null,
    isps: {},
    ...more,
  })
  const rows = [{ address: '203.0.113.7', bind: '10.0.0.7', pool: 'p', ehlo: 'mx7.hato.example', egress: 'bind' }]

  it('serve where a sender has them', () => {
    expect(judgeIps({ ips: [ip('203.0.113.7')] }, rows, new Map([['s1', ['203.0.113.7']]]), now)).toEqual([good('1 of 1 IP can be used')])
  })
  it('are useless where no sender has them, and rest where a person said so', () => {
    const lines = judgeIps(
      { ips: [ip('203.0.113.7'), ip('203.0.113.8', { mode: 'quarantined', because: 'listed', until: iso(60_000) })] },
      rows,
      new Map([['s1', ['203.0.113.8']]]),
      now,
    )
    expect(verdicts(lines)).toEqual(['bad', 'warning', 'bad'])
    expect(lines[1]?.says).toContain('203.0.113.8 is quarantined because listed, until 14:01:00 (in 1 min)')
    expect(lines[2]?.says).toContain('its bind address 10.0.0.7 is on no machine')
  })
  it('that are blocked wait for a person', () => {
    const isps = { docomo: { mode: 'blocked', because: '550 delist', until: null } } as unknown as IpReputation['ips'][number]['isps']
    expect(judgeIps({ ips: [ip('203.0.113.7', { isps })] }, rows, new Map(), now)).toContainEqual(
      expect.objectContaining({ verdict: 'bad', more: ['203.0.113.7 at docomo: 550 delist'] }),
    )
  })
})

describe('sites', () => {
  it('rest with because and until', () => {
    const site = {
      site: 'google',
      owner: 'r',
      epoch: 1,
      waiting: { urgent: 0, bulk: 5 },
      ips: [],
      resting: { because: 'rate', until: iso(40_000) },
      actions: [],
      lastReplies: [],
    }
    const lines = judgeSites({ sites: [site] } as IspStatus, now)
    expect(lines).toEqual([good('1 site known, 0 being served'), warning('1 site rests', ['google: rate, until 14:00:40 (in 40 s)'])])
  })
})

describe('mail that waits', () => {
  const order = { tenant: 'acme', campaign: 'spring', site: 'google', count: 3, batch: 7, deadline: now + 3_600_000 } as Order
  const nothing = { looked: 12, cut: false, unreadable: [], parked: [], overdue: [], still: [] }

  it('is well when all can be read and nothing is late', () => {
    expect(judgeMail(nothing, now)).toEqual([good('12 batches and orders looked at: all can be read, none is overdue')])
    expect(judgeMail({ ...nothing, cut: true }, now)).toEqual([good(expect.any(String)), note(expect.stringContaining('only the oldest'))])
  })
  it('names what nobody can read, what is parked, late, or does not move', () => {
    const lines = judgeMail(
      {
        ...nothing,
        unreadable: [{ seq: 9, on: 'list.acme.spring.google', bytes: 3, at: now - 5_000 }],
        parked: [{ seq: 10, order }],
        overdue: [{ seq: 11, on: 'later.acme.spring.7', dueAt: now - 90_000 }],
        still: [{ seq: 12, on: 'mail.google.bulk', at: now - 600_000, order }],
      },
      now,
    )
    expect(verdicts(lines)).toEqual(['bad', 'bad', 'bad', 'warning'])
    expect(lines.map(({ more }) => more?.[0])).toEqual([
      'list.acme.spring.google, message 9, 3 B, stored 13:59:55',
      'acme/spring, batch 7, 3 recipients for google, until 15:00:00',
      'later.acme.spring.7, message 11, due 1 min 30 s ago',
      'mail.google.bulk, message 12: 3 recipients of acme/spring for google, out for 10 min',
    ])
  })
  it('reads schedules as the server keeps them', () => {
    expect(scheduledAt({ headers: { 'Nats-Schedule': '@at 2026-11-24T14:00:00.000Z' } })).toBe(Date.UTC(2026, 10, 24, 14))
    expect(scheduledAt({ headers: { 'Nats-Schedule': '@every 1h' } })).toBeNull()
    expect(scheduledAt({ headers: {} })).toBeNull()
  })
})

describe('replies', () => {
  it('that no rule knows come with their form, the most frequent first', () => {
    expect(judgeReplies([], 5)).toEqual([good('every reply of the last 5 outcome messages is known to a rule')])
    const [line] = judgeReplies(
      [
        { form: '550 no <addr>', count: 2, sites: ['a'], stage: 'rcpt' },
        { form: '451 hm', count: 40, sites: ['a', 'b', 'c', 'd'], stage: null },
      ],
      50,
    )
    expect(line).toMatchObject({ verdict: 'warning', more: ['40 × 451 hm  (a, b, c …)', '2 × at rcpt: 550 no <addr>  (a)'] })
  })
})

describe('the screen', () => {
  const chapters = [
    {
      title: 'Fleet and DNS',
      lines: [
        good('fine'),
        { ...bad(`DKIM: ${'long '.repeat(40)}`), publish: { name: 's1._domainkey.acme.example', type: 'TXT', text: `v=DKIM1; k=rsa; p=${'A'.repeat(300)}` } },
        warning('look', ['one', 'two']),
      ],
    },
  ]

  it('wraps what is said and never what is to be copied', () => {
    const lines = chapterLines(chapters[0] as (typeof chapters)[number], { paint, width: 80 })
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([`        v=DKIM1; k=rsa; p=${'A'.repeat(300)}`])
    expect(lines).toContain('      publish s1._domainkey.acme.example TXT')
  })
  it('counts what is wrong', () => {
    expect(verdictLine(chapters, paint)).toBe('1 thing is wrong, 1 thing deserves a look.')
    expect([isHealthy(chapters), isHealthy([{ title: '', lines: [warning('x')] }])]).toEqual([false, true])
    expect(verdictLine([{ title: '', lines: [good('x')] }], paint)).toBe('All is well.')
  })
})

describe('recipients', () => {
  it('tells whose unknown users were not believed, and who may decide', () => {
    const none = { total: 0, sites: [] }
    expect(verdicts(judgeHeld([{ tenant: 'acme', page: none }]))).toEqual(['good'])
    const page = { total: 222, sites: [{ site: 'google', count: 222, since: iso(-60_000), reply: '550 5.1.1 no', brakeSince: iso(-60_000) }] }
    const [told] = judgeHeld([
      { tenant: 'acme', page },
      { tenant: 'other', page: none },
    ])
    expect(told).toMatchObject({ verdict: 'warning', more: ['google: 222, still so; it said 550 5.1.1 no'] })
    expect(told?.says).toContain('hato suppress confirm|drop acme')
  })
})
