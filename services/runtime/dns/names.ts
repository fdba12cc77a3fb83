import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

/** Lengths of RFC 1035 2.3.4. dns-packet does not check them and writes a broken question. */
const LABEL_MAX = 63
const NAME_MAX = 253
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/
const ROOT = '.'

/**
 * A name as it is asked and compared: lower case, ASCII (IDNA by the WHATWG rules of `domainToASCII`), without the trailing dot. Null when no DNS host,
 * mail domain or service name (`_dmarc.…`) can look like that.
 */
export function dnsName(text: string): string | null {
  // NOTE: only for names that need it: domainToASCII is a URL host parser and turns `1.2` into the address 1.0.0.2
  const ascii = /^[\x21-\x7e]*$/.test(text) ? text : domainToASCII(text)
  const name = withoutTrailingDot(ascii.toLowerCase())
  if (name === '' || name.length > NAME_MAX) return null
  return name.split('.').every((label) => label.length <= LABEL_MAX && LABEL.test(label)) ? name : null
}

/** The target of an MX record as a host name; null for the root (RFC 7505), for an IP address (forbidden by RFC 5321 5.1) and for what is no name. */
export function mxHost(exchange: string): string | null {
  if (exchange === ROOT || exchange === '') return null
  const host = dnsName(exchange)
  return host === null || isIP(host) !== 0 ? null : host
}

export function isRoot(exchange: string): boolean {
  return exchange === ROOT || exchange === ''
}

/** `[192.0.2.1]` and `[IPv6:2001:db8::1]` (RFC 5321 4.1.3) → the address; null when the text is no address literal. */
export function addressLiteral(domain: string): string | null {
  const inner = /^\[(?:(ipv6):)?([0-9a-f.:]+)\]$/i.exec(domain)
  const address = inner?.[2]?.toLowerCase()
  if (!inner || address === undefined) return null
  return isIP(address) === (inner[1] ? 6 : 4) ? address : null
}

/** `203.0.113.7` → `7.113.0.203.in-addr.arpa` (RFC 1035 3.5), IPv6 → nibbles under `ip6.arpa` (RFC 3596 2.5); null when it is no address. */
export function reverseName(address: string): string | null {
  if (isIP(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const groups = ipv6Groups(address)
  if (groups === null) return null
  const nibbles = groups.map((group) => group.toString(16).padStart(4, '0')).join('')
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`
}

/** The eight 16-bit groups of an IPv6 address; null when it is none. */
function ipv6Groups(address: string): readonly number[] | null {
  if (isIP(address) !== 6) return null
  const bare = address.split('%')[0] as string
  const hex = bare.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => `${((+a << 8) | +b).toString(16)}:${((+c << 8) | +d).toString(16)}`)
  const [head = '', tail] = hex.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
}

function withoutTrailingDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
