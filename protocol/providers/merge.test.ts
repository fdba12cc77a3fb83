import { describe, expect, it } from 'vitest'
import { mergeProviders } from './merge.ts'
import { BUILT_IN_PROVIDERS, providerTable } from './table.ts'

describe("the fleet file's isp rows", () => {
  it('change what they mention of a built-in row, and say so', () => {
    const merged = mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'office365', sessions_per_ip: 3, tls: 'required' }])
    const row = providerTable(merged).row('office365')
    expect(row).toMatchObject({
      sessionsPerIp: { start: 2, max: 3 },
      tls: 'required',
      mailsPerSession: 50,
      mx: ['mail.protection.outlook.com', 'mx.microsoft'],
    })
    expect(row.since).toMatchObject({ sessionsPerIp: 'fleet', tls: 'fleet', mailsPerSession: 'K 2026-08' })
    expect(merged.problems).toEqual([])
  })

  it('shorten one rest and leave the other as it was', () => {
    const table = providerTable(mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'yahoo', busy_rest: 2_000 }]))
    expect(table.row('yahoo').rest).toEqual({ busyMs: 2_000, sourceMs: 7_200_000, failedConnects: 5 })
  })

  it('say which share of unknown users a site bears, and leave the others theirs', () => {
    const table = providerTable(mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'docomo', unknown_max: 0.08 }]))
    expect(table.row('docomo')).toMatchObject({ unknownMax: 0.08, since: { unknownMax: 'fleet' } })
    expect(table.row('au').unknownMax).toBe(0.03)
    expect(table.row(null).unknownMax).toBe(0.05)
  })

  it('add a provider with the values of everybody else', () => {
    const table = providerTable(mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'acme-isp', mx: ['.MX.Acme.example'], mails_per_second: 3 }]))
    expect(table.ofHosts(['a.mx.acme.example'])).toMatchObject({ name: 'acme-isp', mailsPerSecond: 3, mailsPerSession: 100, ahead: 'learn' })
  })

  it("win with a longer suffix over a provider's", () => {
    const table = providerTable(mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'acme-box', mx: ['mx0a-acme.pphosted.com'] }]))
    expect(table.ofHosts(['mx0a-acme.pphosted.com'])?.name).toBe('acme-box')
    expect(table.ofHosts(['mx0a-other.pphosted.com'])?.name).toBe('proofpoint')
  })

  it('lift the guard of 5 sessions an address only for a next hop that the operator names', () => {
    const table = providerTable(
      mergeProviders(BUILT_IN_PROVIDERS, [
        { name: 'relay', domains: ['corp.example'], host: '127.0.0.1', port: 24, protocol: 'lmtp', sessions_per_ip: 40, ahead: 'always' },
      ]),
    )
    expect(table.ofDomain('CORP.example')).toMatchObject({ sessionsPerAddress: 40, protocol: 'lmtp', host: '127.0.0.1', port: 24, ahead: 'always' })
    expect(table.row('comcast').sessionsPerAddress).toBe(5)
  })

  it('change the tail under its name', () => {
    const merged = mergeProviders(BUILT_IN_PROVIDERS, [{ name: 'tail', sessions_per_ip: 2 }])
    expect(merged.tail.sessionsPerIp).toEqual({ start: 2, max: 2 })
    expect(merged.rows).toHaveLength(BUILT_IN_PROVIDERS.rows.length)
  })

  it.each([
    [[{ name: 'newcomer' }], 'isp[0].name'],
    [[{ name: 't07', mx: ['mx.example'] }], 'isp[0].name'],
    [[{ name: 'box', mx: ['mx.example'] }], 'isp[0].name'],
    [[{ name: 'tail', mx: ['mx.example'] }], 'isp[0].name'],
    [[{ name: 'google' }, { name: 'google' }], 'isp[1].name'],
    [[{ name: 'mine', mx: ['google.com'] }], 'isp[0].mx'],
    [[{ name: 'mine', mx: ['not a name'] }], 'isp[0].mx[0]'],
    [[{ name: 'google', sessions_start: 9, sessions_per_ip: 3 }], 'isp[0].sessions_start'],
  ])('are refused with the place that is wrong: %j', (overrides, path) => {
    const merged = mergeProviders(BUILT_IN_PROVIDERS, overrides)
    expect(merged.problems.map((problem) => problem.path)).toEqual([path])
    expect(merged.rows).toBe(BUILT_IN_PROVIDERS.rows)
  })
})
