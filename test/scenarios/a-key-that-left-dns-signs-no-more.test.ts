/** delivery.md §10: a key signs only while DNS shows it; a campaign whose From no key signs for is held, told what to publish, and goes on by itself. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import type { ErrorAnswer } from '../../protocol/messages/ops.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { breachOf } from '../kit/tally.ts'

const DOMAINS = ['acme.example', 'beta.example']
const KEY_NAME = 's1._domainkey.acme.example'
/** four IPs with ten each, at most */
const SESSIONS = 40
const REVOKED = 'v=DKIM1; k=rsa; p='
const list = (name: string, count: number) => Array.from({ length: count }, (_, at) => `ok+${name}${at}@gmail.com`)

it('holds the campaigns of a domain whose only key was revoked, no others, and lets them go when DNS shows the key again', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  // 1024 bits: the record fits into one string, and is therefore valid for a second only.
  const key = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const record = `v=DKIM1; k=rsa; p=${createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')}`
  world.publishSenderRecords({
    sources: [1, 2, 3, 4].map((n) => ({ address: `127.0.1.${n}`, ehlo: `mx${n}.hato.example` })),
    tenants: [{ domains: DOMAINS, returnPath: 'bounce.acme.example' }],
    dkim: [],
  })
  for (const domain of DOMAINS) world.publishText(`s1._domainkey.${domain}`, record)
  await using cluster = await startCluster({
    senders: 1,
    env: { HATO_KEYS_EVERY: '1s', HATO_KEYS_AGAIN: '1s' },
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      {
        isp: [{ name: 'google', mails_per_second: 200, sessions_per_ip: 10, sessions_start: 10 }],
        more: {
          preflight: { off: false },
          tenant: [{ name: 'acme', domains: DOMAINS, return_path: 'bounce.acme.example' }],
          dkim: DOMAINS.map((domain) => ({ domain, tenants: ['acme'], selector: 's1', key })),
        },
      },
    ),
  })
  const arrived = (list: readonly string[]) => list.filter((rcpt) => world.record.arrivals(rcpt).length > 0).length

  const long = list('long', 800)
  await cluster.publish('acme', noticeTo('long', long, { rate: 25 }))
  await cluster.until('acme', 'long', ({ delivered }) => delivered > 0)
  world.publishText(KEY_NAME, REVOKED)
  const held = await cluster.until(
    'acme',
    'long',
    ({ state, waiting, waitingFor = [] }) =>
      state === 'finished' ||
      (waiting > 0 && waitingFor.filter(({ because }) => because === 'dkim-key').reduce((sum, { count }) => sum + count, 0) === waiting),
  )
  expect(held.state).toBe('running')
  expect(breachOf(held)).toBe(null)

  const refused = await cluster.ask<ErrorAnswer>('campaignControl', { tenant: 'acme', id: 'long' }, { action: 'resume' })
  expect(refused.error).toMatchObject({ code: 'held', message: expect.stringContaining(`publish ${KEY_NAME} TXT ${record}`) })

  const [late, other] = [list('late', 20), list('other', 20)]
  await cluster.publish('acme', noticeTo('late', late))
  await cluster.publish('acme', noticeTo('other', other, { from: { address: 'news@beta.example' } }))
  await cluster.until('acme', 'other', ({ state }) => state === 'finished')
  await cluster.until('acme', 'late', ({ waitingFor = [] }) => waitingFor.some(({ because, count }) => because === 'dkim-key' && count === late.length))
  expect(arrived(late), 'nothing of a campaign leaves that came while no key signs').toBe(0)
  // What stood in a session when it was held goes to its end.
  expect(arrived(long)).toBeLessThanOrEqual(held.delivered + SESSIONS)

  world.publishText(KEY_NAME, record)
  for (const [id, everybody] of [
    ['long', long],
    ['late', late],
    ['other', other],
  ] as const) {
    expect(await cluster.until('acme', id, ({ state }) => state === 'finished')).toMatchObject({ delivered: everybody.length, waiting: 0 })
    expect(await accountOf(cluster, world, id, everybody)).toMatchObject({ lost: [], doubled: [], unaccounted: [] })
  }
})
