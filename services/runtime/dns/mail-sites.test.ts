import { expect, test } from 'vitest'
import { BUILT_IN_PROVIDERS, providerTable } from '../../../protocol/providers/table.ts'
import { mailSites } from './mail-sites.ts'

const providers = providerTable(BUILT_IN_PROVIDERS)
const resolver = {
  addresses: async (host: string) => ({ kind: 'addresses', addresses: [host.startsWith('mx1') ? '192.0.2.1' : '192.0.2.2'], ttlS: 60 }) as const,
}
const names = async (domain: string, hosts: readonly (readonly [number, string])[]) => {
  const sites = await mailSites(
    domain,
    hosts.map(([preference, host]) => ({ preference, host })),
    { resolver, providers },
  )
  return sites.map(({ site, hosts }) => `${site.site}: ${hosts.map(({ host }) => host).join(' ')}`)
}

test('a backup of another site stands behind the first; hosts of one site are one, whatever their preference', async () => {
  expect(
    await names('shop.example', [
      [10, 'mx1.shop.example'],
      [20, 'aspmx.l.google.com'],
      [30, 'alt1.aspmx.l.google.com'],
    ]),
  ).toEqual(['box/192.0.2.1: mx1.shop.example', 'google: aspmx.l.google.com alt1.aspmx.l.google.com'])
  expect(
    await names('gmail.com', [
      [5, 'gmail-smtp-in.l.google.com'],
      [10, 'alt1.gmail-smtp-in.l.google.com'],
    ]),
  ).toEqual(['google: gmail-smtp-in.l.google.com alt1.gmail-smtp-in.l.google.com'])
})
