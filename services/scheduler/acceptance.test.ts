import { describe, expect, it } from 'vitest'
import { Fleet } from '../../protocol/fleet.ts'
import { judgeJob } from './acceptance.ts'

const fleet = Fleet.parse({
  tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
  pool: [
    { name: 'news', tenants: ['acme'], kinds: ['marketing', 'notice'] },
    { name: 'orders', tenants: ['acme'], kinds: ['transactional'] },
  ],
  ip: [
    { address: '203.0.113.7', pool: 'news', ehlo: 'mx7.acme.example' },
    { address: '203.0.113.8', pool: 'orders', ehlo: 'mx8.acme.example' },
  ],
})
const at = { tenant: 'acme', fleet, publishedAt: 1_796_000_000_000, objects: new Map<string, number>() }
const job = (more: object) => ({
  id: 'x',
  kind: 'notice',
  from: { address: 'news@acme.example' },
  subject: 's',
  text: 't',
  recipients: [{ address: 'taro@example.jp' }],
  ...more,
})

describe('the door', () => {
  it('gives a job without a pool the first of its tenant that carries its kind', () => {
    expect(judgeJob(job({}), at)).toMatchObject({ kind: 'accepted', pool: 'news', lane: 'bulk' })
    expect(judgeJob(job({ kind: 'transactional' }), at)).toMatchObject({ kind: 'accepted', pool: 'orders', lane: 'urgent' })
  })

  it('refuses a pool that does not carry the kind, and names what it carries', () => {
    expect(judgeJob(job({ kind: 'transactional', pool: 'news' }), at)).toMatchObject({
      kind: 'rejected',
      problems: [{ path: 'pool', message: expect.stringContaining('carries marketing, notice') }],
    })
  })

  it('takes transactional mail in the message itself, up to the tenant’s urgent_max, on the urgent lane', () => {
    const many = (count: number, more: object = {}) =>
      job({ kind: 'transactional', recipients: Array.from({ length: count }, (_, n) => ({ address: `u${n}@example.jp` })), ...more })
    const [acme] = fleet.tenant
    expect(judgeJob(many(1_000), at)).toMatchObject({ kind: 'accepted', lane: 'urgent' })
    expect(judgeJob(many(1_001), at)).toMatchObject({
      kind: 'rejected',
      problems: [{ path: 'recipients', message: expect.stringContaining('at most 1000 recipients') }],
    })
    const tight = { ...at, fleet: { ...fleet, tenant: [{ ...(acme as NonNullable<typeof acme>), urgent_max: 10 }] } }
    expect(judgeJob(many(11), tight)).toMatchObject({
      kind: 'rejected',
      problems: [{ message: expect.stringContaining('at most 10 recipients (urgent_max of tenant acme)') }],
    })
    expect(judgeJob(many(1, { window: { from: '08:00', to: '21:00', tz: 'Asia/Tokyo' } }), at)).toMatchObject({
      kind: 'rejected',
      problems: [{ path: 'window' }],
    })
  })

  it('lets a new tenant start apart: shared pools with a tier are for who has reached it, the highest first', () => {
    const tenant = (name: string, tier?: number) => ({
      name,
      domains: ['acme.example'],
      return_path: 'bounce.acme.example',
      ...(tier !== undefined && { tier }),
    })
    const tiers = Fleet.parse({
      tenant: [tenant('new', 0), tenant('settled', 1), tenant('old')],
      pool: [
        { name: 'start', tier: 0 },
        { name: 'trusted', tier: 1 },
      ],
      ip: ['start', 'trusted'].map((pool, n) => ({ address: `203.0.113.${n + 1}`, pool, ehlo: 'mx.acme.example' })),
    })
    const poolOf = (name: string, more: object = {}) => {
      const judged = judgeJob(job(more), { ...at, tenant: name, fleet: tiers })
      return judged.kind === 'accepted' ? judged.pool : judged.problems[0]?.message
    }
    expect(['new', 'settled', 'old'].map((name) => poolOf(name))).toEqual(['start', 'trusted', 'trusted'])
    expect(poolOf('settled', { pool: 'start' })).toBe('start')
    expect(poolOf('new', { pool: 'trusted' })).toBe('pool "trusted" is not for tenant "new", which may use start')
  })

  it('gives each kind the life it has in the rules of mail, unless the campaign says otherwise', () => {
    const life = (more: object) => {
      const judged = judgeJob(job(more), at)
      return judged.kind === 'accepted' ? judged.deadline - at.publishedAt : null
    }
    expect(life({})).toBe(72 * 3_600_000)
    const news = { kind: 'marketing', list: { id: 'news' }, unsubscribe: { url: 'https://acme.example/u?a={{ address }}' } }
    expect(life(news)).toBe(24 * 3_600_000)
    expect(life({ kind: 'transactional' })).toBe(3_600_000)
    expect(life({ expiresAfter: '10m' })).toBe(600_000)
    expect(life({ sendAt: new Date(at.publishedAt + 3_600_000).toISOString(), expiresAfter: '10m' })).toBe(4_200_000)
  })
})
