import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const EACH = 400
const HOUR_MS = 3_600_000
const DOMAINS = ['acme.example', 'acme-shop.example'] as const

/** Two From domains of one tenant, one pool: what Gmail says of the one must not touch the other. */
const fleet = {
  ips: 2,
  isp: [{ name: 'google', mails_per_second: 60 }],
  more: {
    tenant: [{ name: 'acme', domains: DOMAINS, return_path: 'bounce.acme.example', feedback_id: 'acmeco' }],
    dkim: DOMAINS.map((domain) => {
      const key = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      return { domain, tenants: ['acme'], selector: 's1', key }
    }),
  },
}

it("Gmail's 4.7.28 about a DKIM domain rests that domain there; the other domain goes on from the same IPs, and none of them cools", async () => {
  await using scene = await startScene({ senders: 2, fleet })
  const people = (name: string) => Array.from({ length: EACH }, (_, at) => `ok+${name}${at}@gmail.com`)
  const blamed = ['say-google-dkim-x1+0@gmail.com', ...people('blamed')]
  await scene.send('blamed', blamed)
  await scene.send('other', people('other'), { from: { name: 'Shop', address: 'news@acme-shop.example' } })

  expect(await scene.ended('other', 40_000)).toMatchObject({ delivered: EACH })
  const cold = (await scene.standing('google')).filter(({ mode }) => mode === 'cooling' || mode === 'blocked')
  expect(
    cold.map(({ address, mode, because }) => `${address} ${mode} ${because}`),
    'IPs that Gmail is believed to blame',
  ).toEqual([])
  expect((await scene.isp('google'))?.resting ?? null).toBeNull()
  const rests = await scene.cluster.status('acme', 'blamed')
  expect(rests.delivered, 'what was under way when Gmail said so').toBeLessThan(EACH / 2)
  const [why] = rests.waitingFor
  expect(why).toMatchObject({ site: 'google', because: 'reputation' })
  expect(Date.parse(why?.until ?? '') - Date.now()).toBeGreaterThan(HOUR_MS / 2)
  const refused = (await scene.said('blamed')).filter(({ outcome }) => outcome === 'deferred')
  expect(new Set(refused.map(({ class: replyClass, blames }) => `${replyClass} ${blames}`))).toEqual(new Set(['reputation sender']))

  await scene.cluster.ask('campaignControl', { tenant: 'acme', id: 'blamed' }, { action: 'cancel' })
  const end = await scene.until('blamed', ({ state }) => state === 'cancelled', 20_000)
  expect(end.delivered + end.cancelled).toBe(blamed.length)
  for (const id of ['blamed', 'other']) expect(await scene.account(id)).toMatchObject(NOTHING_AMISS)
})
