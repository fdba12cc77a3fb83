import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countSession, dayOf, mergeCounts, noCounts, reportAddresses, reporterOf, type SessionSeen, TLS_TROUBLES, tlsReports } from './tls-report.ts'

const DAY = '2026-11-24'
const seen = (over: Partial<SessionSeen> = {}): SessionSeen => ({
  shown: { domain: 'example.jp', type: 'sts', strings: ['version: STSv1', 'mode: enforce'], mx: ['*.example.jp'] },
  trouble: null,
  ip: '203.0.113.7',
  mx: 'mx.example.jp',
  ...over,
})

test.each([
  [['v=TLSRPTv1; rua=mailto:tls@example.jp'], ['mailto:tls@example.jp']],
  [['v=TLSRPTv1;rua=mailto:a@example.jp,https://example.jp/v1/tlsrpt;'], ['mailto:a@example.jp', 'https://example.jp/v1/tlsrpt']],
  [['v=spf1 -all'], []],
  [['v=TLSRPTv1; rua=ftp://example.jp'], []],
  [['v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1; rua=mailto:c@d.example'], []],
])('%j names %j', (texts, addresses) => {
  expect(reportAddresses(texts)).toEqual(addresses)
})

describe('a report', () => {
  test('is of the form of RFC 8460 4.4', () => {
    const counts = noCounts(DAY)
    countSession(counts, seen(), ['mailto:tls@example.jp'])
    countSession(counts, seen({ trouble: 'certificate-expired' }), ['mailto:tls@example.jp'])
    countSession(counts, seen({ trouble: 'certificate-expired' }), ['mailto:tls@example.jp'])
    expect(tlsReports(counts, { organization: 'hato.example', contact: 'postmaster@hato.example' })).toEqual({
      day: DAY,
      reports: [
        {
          to: ['mailto:tls@example.jp'],
          report: {
            'organization-name': 'hato.example',
            'date-range': { 'start-datetime': '2026-11-24T00:00:00Z', 'end-datetime': '2026-11-24T23:59:59Z' },
            'contact-info': 'postmaster@hato.example',
            'report-id': '2026-11-24.example.jp@hato.example',
            policies: [
              {
                policy: {
                  'policy-type': 'sts',
                  'policy-string': ['version: STSv1', 'mode: enforce'],
                  'policy-domain': 'example.jp',
                  'mx-host': ['*.example.jp'],
                },
                summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 2 },
                'failure-details': [
                  {
                    'result-type': 'certificate-expired',
                    'sending-mta-ip': '203.0.113.7',
                    'receiving-mx-hostname': 'mx.example.jp',
                    'failed-session-count': 2,
                  },
                ],
              },
            ],
          },
        },
      ],
    })
  })

  test('names who sends it', () => {
    expect(reporterOf({ ip: [{ ehlo: 'mx1.hato.example' }] })).toEqual({ organization: 'hato.example', contact: 'postmaster@hato.example' })
    expect(reporterOf({ ip: [], tls: { organization: 'Acme', contact: 'tls@acme.example' } })).toEqual({ organization: 'Acme', contact: 'tls@acme.example' })
  })
})

const session = fc.record({
  domain: fc.constantFrom('a.example', 'b.example', 'c.example'),
  type: fc.constantFrom('sts', 'tlsa', 'no-policy-found'),
  trouble: fc.option(fc.constantFrom(...TLS_TROUBLES), { nil: null }),
  mx: fc.constantFrom('mx1.example', 'mx2.example'),
}) as fc.Arbitrary<{ domain: string; type: 'sts' | 'tlsa' | 'no-policy-found'; trouble: SessionSeen['trouble']; mx: string }>

test('however the sessions lie over the senders, the sum is the same', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(session, fc.nat(3)), { maxLength: 60 }), (sessions) => {
      const senders = [noCounts(DAY), noCounts(DAY), noCounts(DAY), noCounts(DAY)]
      const one = noCounts(DAY)
      for (const [{ domain, type, trouble, mx }, sender] of sessions) {
        const what = seen({ shown: { domain, type, strings: [], mx: [] }, trouble, mx })
        countSession(senders[sender] ?? one, what, [])
        countSession(one, what, [])
      }
      const sum = ({ reports }: ReturnType<typeof tlsReports>) =>
        reports
          .flatMap(({ report }) =>
            report.policies.map((policy) =>
              JSON.stringify([policy.policy, policy.summary, [...(policy['failure-details'] ?? [])].map((row) => JSON.stringify(row)).sort()]),
            ),
          )
          .sort()
      const by = { organization: 'x', contact: 'y' }
      expect(sum(tlsReports(mergeCounts(DAY, senders), by))).toEqual(sum(tlsReports(one, by)))
    }),
  )
})

test('a sender counts 2,000 domains a day and no more, and each in bounded room', () => {
  const counts = noCounts(DAY)
  for (let n = 0; n < 2_100; n++) countSession(counts, seen({ shown: { domain: `d${n}.example`, type: 'sts', strings: [], mx: [] } }), [])
  expect(Object.keys(counts.domains)).toHaveLength(2_000)
  for (let n = 0; n < 1_000; n++)
    countSession(
      counts,
      seen({ shown: { domain: 'd1.example', type: 'sts', strings: [`id ${n}`], mx: [] }, trouble: 'validation-failure', mx: `mx${n}.example` }),
      [],
    )
  for (let n = 0; n < 1_000; n++)
    countSession(counts, seen({ shown: { domain: 'd1.example', type: 'sts', strings: [], mx: [] }, trouble: 'validation-failure', mx: `mx${n}.example` }), [])
  const [first] = counts.domains['d1.example']?.policies ?? []
  expect(counts.domains['d1.example']?.policies).toHaveLength(10)
  expect(first).toMatchObject({ ok: 1, failed: 1_000 })
  expect(first?.failures).toHaveLength(50)
})

test('days are UTC', () => {
  expect(dayOf(Date.parse('2026-11-25T08:59:59+09:00'))).toBe(DAY)
})
