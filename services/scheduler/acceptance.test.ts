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

  it('gives each kind the life it has in the rules of mail, unless the campaign says otherwise', () => {
    const life = (more: object) => {
      const judged = judgeJob(job(more), at)
      return judged.kind === 'accepted' ? judged.deadline - at.publishedAt : null
    }
    expect(life({})).toBe(72 * 3_600_000)
    expect(life({ kind: 'transactional' })).toBe(3_600_000)
    expect(life({ expiresAfter: '10m' })).toBe(600_000)
    expect(life({ sendAt: new Date(at.publishedAt + 3_600_000).toISOString(), expiresAfter: '10m' })).toBe(4_200_000)
  })
})
