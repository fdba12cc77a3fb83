import { isIP } from 'node:net'
import type { Answer } from './answer.ts'
import type { QueryType } from './wire.ts'

export type Addresses =
  /** canonical, IPv4 first, each once, in an order that does not depend on the server's rotation; at least one */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly ttlS: number }
  | { readonly kind: 'none'; readonly ttlS: number }
  | { readonly kind: 'tempfail'; readonly because: string; readonly ttlS: number }

type Resolve = <T extends QueryType>(name: string, type: T) => Promise<Answer<T>>

const OWN_TTL_S = 86_400

/** The family that can be reached; 'any' where the choice is the kernel's or a question of names only. */
export type Family = 4 | 6 | 'any'

/** One family is enough: many resolvers fail on AAAA of old zones, and their mail hosts are reached by IPv4. */
export async function addressesOf(resolve: Resolve, host: string, family: Family = 'any'): Promise<Addresses> {
  if (isIP(host) !== 0) return { kind: 'addresses', addresses: [host], ttlS: OWN_TTL_S }
  const answers = await Promise.all([...(family === 6 ? [] : [resolve(host, 'A')]), ...(family === 4 ? [] : [resolve(host, 'AAAA')])])
  // Sorted, since servers rotate: what is derived from the addresses (a site's name) must not depend on the turn.
  const addresses = answers.flatMap((answer) => [...new Set(answer.records)].sort())
  if (addresses.length > 0) {
    const known = answers.filter((answer) => answer.records.length > 0)
    return { kind: 'addresses', addresses, ttlS: Math.min(...known.map((answer) => answer.ttlS)) }
  }
  const ttlS = Math.min(...answers.map((answer) => answer.ttlS))
  const failed = answers.find((answer) => answer.rcode !== 'NOERROR' && answer.rcode !== 'NXDOMAIN')
  return failed === undefined ? { kind: 'none', ttlS } : { kind: 'tempfail', because: failed.because ?? failed.rcode, ttlS }
}
