/** What is read of command lines and files before anything is asked. */
import { describe, expect, it } from 'vitest'
import { campaignOf, durationOf, lastTokenOf, numberOf } from './arguments.ts'
import { filtersOf, firstAfter } from './commands/events.ts'
import { readLines } from './commands/feedback.ts'
import { Failure } from './failure.ts'
import type { OptionName } from './options.ts'
import { chooseTenant } from './tenant.ts'

const asked = (values: Partial<Record<OptionName, string>>) => ({
  positionals: [],
  flags: new Set<OptionName>(),
  values: new Map(Object.entries(values)) as ReadonlyMap<OptionName, string>,
})
const failure = (act: () => unknown): Failure => {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('arguments', () => {
  it('name the thing and what it should be', () => {
    expect(campaignOf('acme/spring')).toEqual({ tenant: 'acme', id: 'spring' })
    expect(failure(() => campaignOf('acme')).message).toBe('"acme" is not TENANT/ID such as acme/spring-2026 (each 1 to 64 of A-Z a-z 0-9 _ -)')
    expect(durationOf(asked({ for: '24h' }), 'for')).toBe('24h')
    expect(failure(() => durationOf(asked({ for: '1 day' }), 'for')).message).toContain('--for is "1 day"')
    expect(numberOf(asked({ rate: '2.5' }), 'rate', { whole: false, min: 1, max: 10 })).toBe(2.5)
    for (const rate of ['', 'x', '0', '11', 'NaN'])
      expect(failure(() => numberOf(asked({ rate }), 'rate', { whole: false, min: 1, max: 10 })).kind).toBe('usage')
    expect(failure(() => numberOf(asked({ limit: '2.5' }), 'limit', { whole: true, min: 1, max: 10 })).message).toContain('whole number')
    for (const site of ['a b', 'a.>', '*', '.a', 'a..b', '']) expect(failure(() => lastTokenOf(site, 'a site')).message).toContain('is not a site')
  })

  it('of events become filters, and contradictions are seen', () => {
    expect(filtersOf(asked({}))).toHaveLength(2)
    expect(filtersOf(asked({ tenant: 'acme' }))[0]).toMatch(/\.acme\.\*$/)
    expect(filtersOf(asked({ campaign: 'acme/spring' }))).toEqual(filtersOf(asked({ tenant: 'acme', campaign: 'spring' })))
    expect(failure(() => filtersOf(asked({ campaign: 'spring' }))).message).toContain('TENANT/ID')
    expect(failure(() => filtersOf(asked({ tenant: 'other', campaign: 'acme/spring' }))).message).toBe('--campaign says tenant acme, --tenant says other')
  })

  it('"since" finds the first message young enough', async () => {
    const times = [10, 20, 20, 30, 40]
    const bus = {
      readNext: async (_stream: string, _subject: string, afterSeq: number) => {
        const seq = Math.max(afterSeq + 1, 3)
        return seq < 3 + times.length ? { seq, at: times[seq - 3] as number, subject: '', body: new Uint8Array(), headers: {} } : null
      },
    }
    for (const [at, seq] of [
      [0, 3],
      [20, 4],
      [21, 6],
      [40, 7],
      [41, 8],
    ] as const)
      expect(await firstAfter(bus, 'S', at, 3, 7)).toBe(seq)
  })
})

describe('the tenant of a campaign', () => {
  const fleet = {
    tenant: [
      { name: 'acme', domains: ['acme.example'] },
      { name: 'other', domains: ['other.example', 'shared.example'] },
      { name: 'third', domains: ['shared.example'] },
    ].map((one) => ({ ...one, return_path: 'b.example', weight: 1 })),
  }
  it('is the one whose domain From is in', () => {
    expect(chooseTenant(fleet, 'news@acme.example')).toBe('acme')
    expect(chooseTenant(fleet, 'news@mail.ACME.example')).toBe('acme')
    expect(chooseTenant({ tenant: fleet.tenant.slice(0, 1) }, 'x@elsewhere.example')).toBe('acme')
  })
  it('is asked of the person where nobody or several own the domain', () => {
    expect(failure(() => chooseTenant(fleet, 'x@shared.example')).message).toContain('one of other, third')
    expect(failure(() => chooseTenant(fleet, 'x@elsewhere.example')).message).toBe(
      "elsewhere.example is no tenant's domain, so say whose campaign it is: --tenant, one of acme, other, third",
    )
    expect(failure(() => chooseTenant(fleet, undefined)).message).toContain('no from.address')
  })
})

describe('feedback', () => {
  const line = { id: '1', kind: 'bounce', at: '2026-11-24T00:00:00Z', rcpt: 'a@example.jp', source: 'test' }
  it('is read strictly, with every wrong line', () => {
    expect(readLines(`${JSON.stringify(line)}\n\n${JSON.stringify({ ...line, id: '2' })}`, 'f')).toHaveLength(2)
    const { problems, message } = failure(() =>
      readLines(
        [JSON.stringify(line), '{', JSON.stringify({ ...line, kind: 'hm', extra: 1 }), JSON.stringify({ ...line, rcpt: undefined })].join('\n'),
        'f.ndjson',
      ),
    )
    expect(message).toBe('f.ndjson: nothing was imported, 4 problems')
    expect(problems.map(({ path }) => path)).toEqual(['line 2', 'line 3 kind', 'line 3 extra', 'line 4'])
  })
})
