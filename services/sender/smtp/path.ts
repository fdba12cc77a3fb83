import { InvariantBroken } from '../../runtime/errors.ts'

/** RFC 5321 atext, and the bytes of RFC 6531's UTF-8 above 7F. */
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uFFFF]+(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uFFFF]+)*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSPEAKABLE = /[\u0000-\u001F\u007F]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const NOT_IN_DOMAIN = /[\u0000-\u0020\u007F<>@,;"\\()]/

/**
 * An address as it stands between `<` and `>` of MAIL and RCPT: `taro..y@docomo.ne.jp` → `"taro..y"@docomo.ne.jp` (RFC 5321 4.1.2).
 * Docomo and au issued such addresses until 2009. A dot-atom is never quoted, since many peers know only the bare form;
 * a local part that comes in quoted is unquoted first. The null sender `''` stays empty.
 * Throws InvariantBroken on what no path can hold: no `@`, an empty side, a control character (so no CR or LF enters a command).
 */
export function formatPath(address: string): string {
  if (address === '') return ''
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const local = unquoted(address.slice(0, Math.max(at, 0)))
  if (at < 1 || local === '' || domain === '' || UNSPEAKABLE.test(local) || NOT_IN_DOMAIN.test(domain)) {
    throw new InvariantBroken('speakable-envelope', `${JSON.stringify(address)} cannot stand in an SMTP command`)
  }
  if (DOT_ATOM.test(local)) return `${local}@${domain}`
  return `"${local.replaceAll(/["\\]/g, '\\$&')}"@${domain}`
}

function unquoted(local: string): string {
  if (local.length < 2 || !local.startsWith('"') || !local.endsWith('"')) return local
  return local.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}
