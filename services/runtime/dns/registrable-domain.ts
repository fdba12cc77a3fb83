import { isIP } from 'node:net'
import { getDomain } from 'tldts'

/**
 * The registrable domain of a host (`mx1.foo.co.jp` → `foo.co.jp`) by the public-suffix list; null for a public suffix itself, an address, or what is no host name.
 * Only the ICANN part of the list: its private part (`example.lolipop.jp` as a domain of its own) would make a site of every customer of one host.
 */
export function registrableDomain(name: string): string | null {
  if (isIP(name) !== 0) return null
  return getDomain(name, { allowPrivateDomains: false, extractHostname: false })
}
