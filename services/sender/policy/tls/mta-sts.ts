/** MTA-STS as text (RFC 8461 3): the TXT record that announces a policy, the policy itself, and which hosts it lets in. */

/** A domain's word on who its mail hosts are and whether an unverified connection will do. */
export interface StsPolicy {
  /** of the TXT record it was fetched under; another one announces another policy */
  readonly id: string
  /** enforce: no mail but to these hosts over verified TLS · testing: only told in reports · none: there is no policy any more */
  readonly mode: 'enforce' | 'testing' | 'none'
  /** host names, or `*.` and a domain: exactly one label stands for the asterisk */
  readonly mx: readonly string[]
  readonly maxAgeS: number
}

/** A year and a leap day (RFC 8461 3.2). */
const MAX_AGE_S = 31_557_600
/** The largest providers publish 7 patterns; a policy of thousands is a mistake, or meant to fill our memory. */
const PATTERNS_MAX = 200
const PATTERN = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const NAME_MAX = 255

/** The id that the TXT records of `_mta-sts.<domain>` announce; null when they announce nothing: none, two, or one that cannot be read. */
export function announcedId(texts: readonly string[]): string | null {
  const records = texts.filter((text) => /^v=STSv1[ \t]*;/.test(text))
  if (records.length !== 1) return null
  return /;[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9]{1,32})[ \t]*(?:;|$)/.exec(records[0] as string)?.[1] ?? null
}

/** The policy as it was fetched; unknown fields are left aside, of a field that stands twice the first counts (RFC 8461 3.2). */
export function readPolicy(text: string, id: string): StsPolicy | { readonly problem: string } {
  const fields = new Map<string, string>()
  const mx: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    if (name === 'mx') mx.push(value.toLowerCase().replace(/\.$/, ''))
    else if (!fields.has(name)) fields.set(name, value)
  }
  const mode = fields.get('mode')
  const maxAge = fields.get('max_age') ?? ''
  if (fields.get('version') !== 'STSv1') return { problem: `version is "${fields.get('version') ?? ''}", not STSv1` }
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return { problem: `mode is "${mode ?? ''}"` }
  if (!/^\d{1,10}$/.test(maxAge)) return { problem: `max_age is "${maxAge}"` }
  if (mx.length > PATTERNS_MAX) return { problem: `${mx.length} mx patterns` }
  const wrong = mx.find((pattern) => pattern.length > NAME_MAX || !PATTERN.test(pattern))
  if (wrong !== undefined) return { problem: `mx "${wrong.slice(0, 80)}" is no host pattern` }
  if (mx.length === 0 && mode !== 'none') return { problem: 'it names no mx' }
  return { id, mode, mx, maxAgeS: Math.min(Number(maxAge), MAX_AGE_S) }
}

/** Is this mail host one of the policy's? */
export function letsIn({ mx }: StsPolicy, host: string): boolean {
  const name = host.toLowerCase()
  const parent = name.slice(name.indexOf('.') + 1)
  return mx.some((pattern) => pattern === name || (name.includes('.') && pattern === `*.${parent}`))
}

/** The policy's lines, as a report quotes them (RFC 8460 4.4). */
export function policyLines({ mode, mx, maxAgeS }: StsPolicy): string[] {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAgeS}`]
}
