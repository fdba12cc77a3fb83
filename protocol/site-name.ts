import { fnv64Hex } from './fnv.ts'

/** A subject may hold several tokens, a log line several fields. */
export const SITE_NAME_MAX = 100

/** Letters that keep names apart in their token form: without `_`, which `.` becomes, and without `:` beside `-`, which it becomes. */
const PLAIN_HOST = /^[a-z0-9.-]+$/
const PLAIN_IPV6 = /^[0-9a-f:]+$/

/** Scopes of the tail; no provider may be called so. In `box` stand addresses only. */
export const TAIL_SCOPES = ['box', 'mx'] as const

/**
 * The name of a site: `google`, `example.jp`, `barracuda/example.jp`, `proofpoint/mx0a-1.pphosted.com/mx0b-1.pphosted.com`, `box/192.0.2.1`,
 * `mx/a.example/b.example`. `scope` null: `parts` is one domain and the name is the domain.
 *
 * NOTE: the separator is `/`, since it is in no host name and `token()` leaves it alone. With `:` (→ `-`) `barracuda:example.jp` and the tail domain
 * `barracuda-example.jp` would be one token. A name that is too long, or holds what tokens do not keep apart, ends in `=` and a hash of all of it.
 */
export function siteName(scope: string | null, parts: readonly string[]): string {
  const whole = [...(scope === null ? [] : [scope]), ...parts].join('/')
  const plain = parts.every((part) => PLAIN_HOST.test(part) || (scope === 'box' && PLAIN_IPV6.test(part)))
  if (plain && whole.length <= SITE_NAME_MAX) return whole
  const hash = `=${fnv64Hex(whole)}`
  const readable = whole.toLowerCase().replace(/[^a-z0-9./-]/g, '-')
  return `${readable.slice(0, SITE_NAME_MAX - hash.length)}${hash}`
}
