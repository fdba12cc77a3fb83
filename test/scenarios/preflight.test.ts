/** Marketing leaves only from a domain whose DNS says what receivers ask for; the rest is warned, and both are told the very record to publish. */
import { createPublicKey } from 'node:crypto'
import { expect, it } from 'vitest'
import type { CampaignEvent } from '../../protocol/messages/campaign.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import type { World } from '../../scripts/world/world.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'

interface Parts {
  readonly dkim: readonly { readonly key: string; readonly selector: string }[]
  readonly ip: readonly { readonly address: string; readonly ehlo: string }[]
}

it('rejects marketing of a domain that is not ready, warns other mail, and says what to publish where', { timeout: 60_000 }, async () => {
  const domains = ['acme.example', 'bare.example', 'elsewhere.example']
  const [signing] = (loopbackFleet({ dns: '127.0.0.1:53', smtpPort: 25 }) as Parts).dkim
  const dkim = domains.map((domain) => ({ ...signing, domain, tenants: ['acme'] }))
  const publicKey = createPublicKey(signing?.key ?? '')
    .export({ type: 'spki', format: 'der' })
    .toString('base64')
  const sources = [1, 2].map((n) => ({ address: `127.0.1.${n}`, ehlo: `mx${n}.hato.example` }))
  const keys = domains.map((domain) => ({ domain, selector: signing?.selector ?? '', publicKey }))
  const publish = (world: World) => {
    world.publishSenderRecords({ sources, tenants: [{ domains, returnPath: 'bounce.acme.example' }], dkim: keys })
    world.dnsFault('_dmarc.bare.example', 'nxdomain')
    // From elsewhere.example the SPF names another sender: docomo looks at that one.
    world.publishSenderRecords({
      sources: [{ address: '127.0.1.99', ehlo: 'mx99.hato.example' }],
      tenants: [{ domains: ['elsewhere.example'], returnPath: 'bounce.elsewhere.example' }],
      dkim: [],
    })
  }
  await using lab = await startSourceLab({
    ips: 2,
    rest: '5s',
    publish,
    more: { preflight: { off: false }, dkim, tenant: [{ name: 'acme', domains, return_path: 'bounce.acme.example' }] },
  })

  const news = (id: string, domain: string, list: readonly string[]) =>
    noticeTo(id, list, {
      kind: 'marketing',
      list: { id: 'news' },
      from: { address: `news@${domain}` },
      unsubscribe: { url: 'https://acme.example/u?a={{ address | url_encode }}' },
    })
  const said = async (id: string): Promise<CampaignEvent | undefined> => {
    for await (const { body } of lab.cluster.bus.scan(STREAM.events, wildcard('campaignEvent', { tenant: 'acme', id }))) {
      const event = JSON.parse(new TextDecoder().decode(body)) as CampaignEvent
      if (event.type === 'rejected' || event.type === 'accepted') return event
    }
    return undefined
  }
  const list = people(20, 'one-')

  await lab.cluster.publish('acme', news('bare', 'bare.example', list))
  await lab.cluster.until('acme', 'bare', ({ state }) => state === 'rejected' || state === 'finished', 15_000)
  expect(await said('bare')).toMatchObject({
    type: 'rejected',
    problems: [{ path: 'preflight.dmarc', message: expect.stringContaining('publish _dmarc.bare.example TXT v=DMARC1; p=none') }],
  })
  expect(lab.takenBy().size).toBe(0)

  await lab.cluster.publish('acme', noticeTo('recall', list, { from: { address: 'news@bare.example' } }))
  await lab.cluster.publish('acme', news('ready', 'acme.example', list))
  await lab.cluster.publish('acme', news('few', 'elsewhere.example', people(100, 'few-', 'docomo.ne.jp')))
  await lab.cluster.publish('acme', news('many', 'elsewhere.example', people(101, 'many-', 'docomo.ne.jp')))
  for (const id of ['recall', 'ready', 'few']) await lab.cluster.until('acme', id, ({ state }) => state === 'finished', 30_000)
  expect(await said('recall')).toMatchObject({ type: 'accepted', problems: [{ path: 'preflight.dmarc' }] })
  expect(await said('ready')).toMatchObject({ type: 'accepted', problems: [] })
  expect(await said('few')).toMatchObject({ type: 'accepted', problems: [{ path: 'preflight.header-spf' }] })
  for (const id of ['recall', 'ready']) expect(await lab.accountOf('acme', id, list)).toEqual(NOTHING_WRONG)

  await lab.cluster.until('acme', 'many', ({ state }) => state === 'rejected' || state === 'finished', 15_000)
  expect(await lab.cluster.status('acme', 'many')).toMatchObject({ state: 'rejected', delivered: 0 })
  expect(people(101, 'many-', 'docomo.ne.jp').filter((rcpt) => lab.world.record.arrivals(rcpt).length > 0)).toEqual([])
})
