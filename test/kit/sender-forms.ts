/** What a router of the test's own hands a real sender: a batch of one site, its order, a lease with few limits. */
import { fullMask } from '../../protocol/mask.ts'
import type { CampaignContent } from '../../protocol/messages/campaign.ts'
import type { Batch, Order } from '../../protocol/messages/mail.ts'
import type { Lease } from '../../protocol/messages/permission.ts'

export const SHARD = 'google'
export const IP = '127.0.1.21'

const NAMES = { v: 1, tenant: 'acme', kind: 'notice', site: SHARD, provider: SHARD } as const

export const CONTENT: CampaignContent = {
  v: 1,
  tenant: 'acme',
  campaign: 'any',
  kind: 'notice',
  content: { from: { name: 'Acme', address: 'news@acme.example' }, subject: 'Hello', text: 'Hello' } as CampaignContent['content'],
  missing: 'skip',
  test: false,
  date: Date.now(),
}

export function batchOf(campaign: string, addresses: readonly string[], content: string): Batch {
  const recipients = addresses.map((address) => ({ address, name: null, ref: address, vars: null }))
  return { ...NAMES, campaign, shard: SHARD, content, first: 0, recipients }
}

export function orderOf(campaign: string, batch: number, recipients: number): Order {
  return {
    ...NAMES,
    campaign,
    lane: 'bulk',
    pool: 'shared',
    batch,
    mask: fullMask(recipients),
    count: recipients,
    attempt: 0,
    deadline: Date.now() + 3_600_000,
  }
}

export function leaseOf(id: string, epoch: number): Lease {
  return {
    id,
    shard: SHARD,
    site: SHARD,
    provider: SHARD,
    pool: 'shared',
    ip: IP,
    bind: IP,
    ehlo: 'mx1.hato.example',
    egress: 'bind',
    sessions: 4,
    pacePerS: 1_000,
    budget: null,
    ms: 4_000,
    epoch,
    terms: {
      sessionsPerAddress: 4,
      mailsPerSession: 40,
      rcptsPerSession: 100,
      rcptsPerTransaction: 1,
      refusedPerSession: 50,
      connectsPerMinute: 600,
      maxSizeBytes: null,
      tls: 'off',
      ahead: 'never',
      idleMs: 2_000,
      protocol: 'smtp',
      unknown: 'plain',
    },
  }
}

/** Addresses that the simulated internet takes. */
export const people = (name: string, size: number) => Array.from({ length: size }, (_, at) => `ok+${name}${at}@gmail.com`)
