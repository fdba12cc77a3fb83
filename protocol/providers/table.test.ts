import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { token } from '../tokens.ts'
import { TAIL } from './row.ts'
import { BUILT_IN_PROVIDERS, providerTable } from './table.ts'
import { termsOf } from './terms.ts'

const { rows } = BUILT_IN_PROVIDERS
const table = providerTable(BUILT_IN_PROVIDERS)
const SOURCE = /^(K|KC|P|S|3|A) 20\d\d(-\d\d)?$/
/** Columns that say how a row is used, not what a receiver bears. */
const WITHOUT_SOURCE = new Set(['name', 'domains', 'reputation', 'ahead', 'since', 'sampleMx', 'host', 'port', 'protocol', 'oneDomainPerTransaction'])

describe.each(rows.map((row) => [row.name, row] as const))('the row %s', (name, row) => {
  it('catches each of its sample MX sets, and no other row does', () => {
    expect(row.sampleMx.length).toBeGreaterThan(0)
    for (const hosts of row.sampleMx) {
      expect(table.ofHosts(hosts)?.name).toBe(name)
      const catching = rows.filter(({ mx }) => hosts.some((host) => mx.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))))
      expect(catching.map((other) => other.name)).toEqual([name])
    }
  })

  it('has a sample for each of its suffixes, or says that the suffix is a guess', () => {
    const unseen = row.mx.filter((suffix) => !row.sampleMx.flat().some((host) => host === suffix || host.endsWith(`.${suffix}`)))
    if (unseen.length > 0) expect(row.since.mx).toMatch(/^A /)
  })

  it('matches on a label boundary', () => {
    for (const suffix of row.mx) expect(table.ofHosts([`not${suffix}`])?.name).not.toBe(name)
  })

  it('says everything a row must say, in bounds', () => {
    expect(Object.keys(row).sort()).toEqual(Object.keys(TAIL).sort())
    expect(name).toMatch(/^[a-z0-9][a-z0-9-]*$/)
    expect(token(name)).toBe(name)
    expect(name).not.toMatch(/^(t\d\d|tail|box|mx)$/)
    expect(row.ahead).toBe('never')
    expect(row.refusedPerSession).toBe(5)
    expect(row.sessionsPerIp.start).toBeGreaterThan(0)
    expect(row.sessionsPerIp.start).toBeLessThanOrEqual(row.sessionsPerIp.max)
    expect(row.mailsPerSecond).toBeGreaterThan(0)
    expect(row.rcptsPerTransaction).toBeLessThanOrEqual(row.rcptsPerSession)
  })

  it('names the source of every value that is not the default', () => {
    for (const source of Object.values(row.since)) expect(source).toMatch(SOURCE)
    const own = (Object.keys(row) as (keyof typeof row)[]).filter(
      (column) => !WITHOUT_SOURCE.has(column) && JSON.stringify(row[column]) !== JSON.stringify(TAIL[column]),
    )
    for (const column of new Set([...own, 'sessionsPerIp', 'mailsPerSession'] as const)) expect(row.since, `${name}.${column}`).toHaveProperty(column)
  })
})

describe('the table', () => {
  it('has no name twice and no suffix that another row shadows', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
    const suffixes = rows.flatMap(({ mx }) => mx)
    for (const suffix of suffixes) expect(suffixes.filter((other) => other === suffix || suffix.endsWith(`.${other}`))).toEqual([suffix])
  })

  it('holds the providers of facts/providers.md that most lists are made of', () => {
    expect(rows.length).toBeGreaterThan(50)
    expect(table.row('google').sessionsPerIp.max).toBe(5)
    expect(table.row('docomo')).toMatchObject({ rcptsPerSession: 100, unknown: 'ambiguous' })
    expect(table.row('apple').reputation).toBe(table.row('proofpoint').reputation)
  })

  it('gives the tail to whom it does not know', () => {
    expect(table.row(null)).toBe(TAIL)
    expect(table.row('gone')).toBe(TAIL)
    expect(TAIL.ahead).toBe('learn')
  })

  it('matches no host set that two providers share, and not the empty one', () => {
    expect(table.ofHosts(['aspmx.l.google.com', 'mta5.am0.yahoodns.net'])).toBeNull()
    expect(table.ofHosts([])).toBeNull()
  })

  it('agrees with a plain search over all suffixes, for any host', () => {
    const suffixes = rows.flatMap((row) => row.mx.map((suffix) => ({ suffix, row })))
    const label = fc.stringMatching(/^[a-z0-9-]{0,5}$/)
    const host = fc
      .tuple(fc.array(label, { maxLength: 3 }), fc.constantFrom(...suffixes.map(({ suffix }) => suffix), 'example.jp', 'com'), fc.constantFrom('', '.', '.x'))
      .map(([labels, suffix, end]) => {
        return [...labels, suffix].join('.') + end
      })
    fc.assert(
      fc.property(host, (host) => {
        const bare = host.replace(/\.$/, '')
        const expected = suffixes.find(({ suffix }) => bare === suffix || bare.endsWith(`.${suffix}`))?.row ?? null
        expect(table.ofHosts([host])).toBe(expected)
      }),
    )
  })

  it('tells the sender the terms of a lease, a next hop only when there is one', () => {
    expect(termsOf(table.row('docomo'))).toMatchObject({ rcptsPerSession: 100, ahead: 'never', refusedPerSession: 5 })
    expect(termsOf(TAIL)).not.toHaveProperty('host')
    expect(termsOf({ ...TAIL, host: '127.0.0.1', port: 24 })).toMatchObject({ host: '127.0.0.1', port: 24 })
  })
})
