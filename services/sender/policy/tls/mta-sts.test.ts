import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { announcedId, letsIn, policyLines, readPolicy, type StsPolicy } from './mta-sts.ts'

const POLICY: StsPolicy = { id: '1', mode: 'enforce', mx: ['mx1.example.jp', '*.mail.example.jp'], maxAgeS: 604_800 }

describe('the TXT record', () => {
  test.each([
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1;id=a1'], 'a1'],
    [['v=STSv1; ext=x; id=a1; more=y'], 'a1'],
    [['v=spf1 -all', 'v=STSv1; id=a1'], 'a1'],
    [[], null],
    [['v=STSv1; id=a-b;'], null],
    [['v=STSv1;'], null],
    [['v=STSv10; id=a1'], null],
    [['v=STSv1; id=a1', 'v=STSv1; id=a2'], null], // two: as if there were none (RFC 8461 3.1)
    [[`v=STSv1; id=${'a'.repeat(33)}`], null],
  ])('%j announces %s', (texts, id) => {
    expect(announcedId(texts)).toBe(id)
  })
})

describe('the policy', () => {
  test('is read as RFC 8461 prints it, with CRLF or LF', () => {
    const text = 'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n'
    const policy = { id: '7', mode: 'enforce', mx: ['mail.example.com', '*.example.net', 'backupmx.example.com'], maxAgeS: 604_800 }
    expect(readPolicy(text, '7')).toEqual(policy)
    expect(readPolicy(text.replaceAll('\r\n', '\n'), '7')).toEqual(policy)
  })

  test('of a field that stands twice the first counts; unknown ones are left aside; a longer max_age is a year', () => {
    const text = 'version: STSv1\nmode: testing\nmode: enforce\ncolour: blue\nmx: MX.Example.com.\nmax_age: 9999999999\n'
    expect(readPolicy(text, '7')).toEqual({ id: '7', mode: 'testing', mx: ['mx.example.com'], maxAgeS: 31_557_600 })
  })

  test.each([
    ['', /version/],
    ['version: STSv2\nmode: none\nmax_age: 1', /STSv2/],
    ['version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1', /mode/],
    ['version: STSv1\nmode: enforce\nmx: a.example', /max_age/],
    ['version: STSv1\nmode: enforce\nmax_age: 1', /no mx/],
    ['version: STSv1\nmode: enforce\nmx: a..example\nmax_age: 1', /no host pattern/],
    ['version: STSv1\nmode: enforce\nmx: *.*.example\nmax_age: 1', /no host pattern/],
    [`version: STSv1\nmode: enforce\n${'mx: a.example\n'.repeat(201)}max_age: 1`, /201/],
  ])('%j is none', (text, problem) => {
    expect(readPolicy(text, '7')).toEqual({ problem: expect.stringMatching(problem) })
  })

  test('mode none needs no mx', () => {
    expect(readPolicy('version: STSv1\nmode: none\nmax_age: 86400', '7')).toMatchObject({ mode: 'none', mx: [] })
  })

  test('what a report quotes is the policy again', () => {
    expect(readPolicy(policyLines(POLICY).join('\n'), POLICY.id)).toEqual(POLICY)
  })

  test('64 KB of anything are read in no time', () => {
    const started = performance.now()
    for (const text of [`mx:${' '.repeat(65_000)}x`, ':'.repeat(65_000), `mx: ${'a-'.repeat(32_000)}`, `mode: ${'\t'.repeat(65_000)}`]) readPolicy(text, '7')
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('its hosts', () => {
  test.each([
    ['mx1.example.jp', true],
    ['MX1.example.jp', true],
    ['a.mail.example.jp', true],
    ['mail.example.jp', false],
    ['a.b.mail.example.jp', false],
    ['mx2.example.jp', false],
    ['mx1.example.jp.evil.example', false],
  ])('%s: %s', (host, let_in) => {
    expect(letsIn(POLICY, host)).toBe(let_in)
  })

  test('an asterisk stands for exactly one label', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        expect(letsIn({ ...POLICY, mx: ['*.example.jp'] }, `${labels.join('.')}.example.jp`)).toBe(labels.length === 1)
      }),
    )
  })
})
