import { LIMITS, type Problem } from '../../protocol/campaign.ts'

/** Which header fields a campaign may bring along (delivery.md §2). Hato writes the others itself, once, signed. */

const REFUSED: ReadonlySet<string> = new Set([
  ...['from', 'to', 'cc', 'bcc', 'date', 'message-id', 'return-path', 'received', 'dkim-signature', 'authentication-results', 'mime-version', 'tls-required'],
  ...['feedback-id', 'precedence', 'auto-submitted'],
])
const REFUSED_FAMILIES = ['arc-', 'content-', 'resent-', 'list-', 'x-hato-']
/** Not dangerous, but Hato writes them from their own place in the campaign, and a field must not stand twice. */
const HAS_ITS_OWN_PLACE: ReadonlyMap<string, string> = new Map([
  ['subject', 'subject'],
  ['reply-to', 'replyTo'],
  ['sender', 'sender'],
])
const FIELD_NAME = /^[!-9;-~]{1,76}$/ // RFC 5322 2.2: printable ASCII without the colon

/** Everything wrong with a campaign's `headers`. */
export function headerProblems(headers: Readonly<Record<string, string>>): readonly Problem[] {
  const entries = Object.entries(headers)
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [name, value] of entries) {
    const path = `headers.${name}`
    const folded = name.toLowerCase()
    const why = nameProblem(folded) ?? valueProblem(value)
    if (why) problems.push({ path, message: why })
    if (seen.has(folded)) problems.push({ path, message: 'stands twice (letter case does not matter in header names)' })
    seen.add(folded)
  }
  if (entries.length > LIMITS.headers) problems.push({ path: 'headers', message: `has ${entries.length} headers, at most ${LIMITS.headers} are taken` })
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 4, 0)
  if (bytes > LIMITS.headerBytes) problems.push({ path: 'headers', message: `has ${bytes} octets, at most ${LIMITS.headerBytes} are taken` })
  return problems
}

function nameProblem(name: string): string | null {
  if (!FIELD_NAME.test(name)) return 'is not a header name (RFC 5322 2.2)'
  const place = HAS_ITS_OWN_PLACE.get(name)
  if (place) return `belongs into \`${place}\``
  if (REFUSED.has(name) || REFUSED_FAMILIES.some((family) => name.startsWith(family))) return 'is written by Hato alone'
  return null
}

function valueProblem(value: string): string | null {
  return /[\r\n\0]/.test(value) ? 'must not contain CR, LF or NUL' : null
}
