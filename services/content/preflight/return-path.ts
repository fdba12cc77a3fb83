import type { Finding, Source } from './finding.ts'
import type { Check } from './look-up.ts'
import { checkSpf } from './spf-check.ts'

/** Where bounces come back to, and what SPF is asked of. */
export function* checkReturnPath(domain: string, sources: readonly Source[]): Check<readonly Finding[]> {
  const mx = yield { name: domain, type: 'MX' }
  const usable = mx.kind === 'records' && mx.records.some((exchange) => exchange !== '.')
  const arrives: Finding =
    mx.kind === 'unknown'
      ? { about: 'return-path', of: domain, verdict: 'unknown', message: mx.because }
      : usable
        ? { about: 'return-path', of: domain, verdict: 'good', message: `MX ${mx.records[0]}` }
        : {
            about: 'return-path',
            of: domain,
            verdict: 'bad',
            message: 'has no MX: bounces cannot come back',
            publish: { name: domain, type: 'MX', text: `10 mail.${domain}.` },
          }
  const spf = yield* checkSpf('spf', domain, sources)
  return spf === null ? [arrives] : [arrives, spf]
}
