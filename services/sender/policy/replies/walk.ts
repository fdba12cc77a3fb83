import type { Verdict } from './verdict.ts'

/** What a walk over all MX hosts comes to, given each host's verdict in order; at least one (delivery.md §3, §4).
 *  Every host 521 or 556: the domain takes no mail (RFC 7504). Every host the same trouble before MAIL: it is the site's, not one host's. */
export function walkVerdict(verdicts: readonly [Verdict, ...Verdict[]]): Verdict {
  const [first] = verdicts
  const last = verdicts.at(-1) ?? first
  if (verdicts.every((verdict) => verdict.class === 'null-mx')) {
    return { ...last, outcome: 'bounced', blames: 'domain', suppress: true, charged: false }
  }
  if (verdicts.every((verdict) => verdict.blames === 'host')) return { ...last, blames: 'site' }
  return last
}
