import { z } from 'zod'
import { parseAddress } from '../../../protocol/addresses.ts'

const IPV4 = z.ipv4()
const IPV6 = z.ipv6()
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** The one spelling of an address that subjects, outcomes and this table share (RFC 5952 for IPv6); null when it is no address. */
export function canonicalIp(text: string): string | null {
  if (IPV4.safeParse(text).success) return text
  if (!IPV6.safeParse(text).success || !URL.canParse(`http://[${text}]`)) return null
  return new URL(`http://[${text}]`).hostname.slice(1, -1)
}

/** What may stand in EHLO: a host name with a dot (RFC 5321 4.1.1.1, 2.3.5). */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text)
}

export function isMailDomain(text: string): boolean {
  return parseAddress(`postmaster@${text}`) !== null
}

/** `127.0.0.1:5355`, `9.9.9.9`, `::1`, `[::1]:53`: a resolver is named by address, a name would need a resolver. */
export function isDnsServer(text: string): boolean {
  const [, address = text, port = '53'] =
    /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? (canonicalIp(text) === null ? (/^([^:]+):(\d{1,5})$/.exec(text) ?? []) : [])
  return canonicalIp(address) !== null && Number(port) > 0 && Number(port) < 65_536
}

/** `socks5://[user:pass@]host:port`, `haproxy://host:port`. */
export function isProxy(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && url.hostname !== '' && Number(url.port) > 0 && ['', '/'].includes(url.pathname) && (url.protocol !== 'haproxy:' || url.username === '')
}
