import { expect, it } from 'vitest'
import { PROVIDERS } from '../../scripts/world/models/isps.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const PEOPLE = 60
const DOMAIN = 'shop.example'

/** A shop with a server of its own and Google as its backup, which has to take the domain's mail as well. */
const own: IspRow = {
  name: 'own',
  hosts: ['mx.shop.example'],
  domains: [
    {
      domain: DOMAIN,
      mx: [
        [10, 'mx.shop.example'],
        [20, 'aspmx.l.google.com'],
      ],
    },
  ],
  ehlo: ['PIPELINING', 'SIZE 20971520', '8BITMIME'],
  idleMs: 60_000,
  behaviours: [],
}
const rows = [...PROVIDERS.map((row) => (row.name === 'google' ? { ...row, domains: [...row.domains, { domain: DOMAIN, mx: [] }] } : row)), own]

it('when the own server is out of reach the backup MX takes the mail, under the limits of its own site', async () => {
  await using scene = await startScene({ world: { rows } })
  scene.world.fault('own', 'down', { stage: 'connect', does: 'reset' })
  const people = Array.from({ length: PEOPLE }, (_, at) => `taro${at}@${DOMAIN}`)
  await scene.send('backup', people)
  expect(await scene.ended('backup', 40_000)).toMatchObject({ delivered: PEOPLE })

  const delivered = (await scene.said('backup')).filter(({ outcome }) => outcome === 'delivered')
  expect(new Set(delivered.map(({ site, mx }) => `${mx} under ${site}`))).toEqual(new Set(['aspmx.l.google.com under google']))
  expect(await scene.account('backup')).toMatchObject(NOTHING_AMISS)
})
