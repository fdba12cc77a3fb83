/** What should become of an address if the sender does everything right: the models' and the address words' own answer. */
import { canonical, domainOf, localOf } from './models/address.ts'
import type { IspRow } from './models/isp.ts'
import { NULL_MX_DOMAIN, SERVFAIL_DOMAIN } from './models/tail.ts'
import { type Design, designOfWord, wordOf } from './models/words.ts'

export type DesignOf = (address: string) => Design

export function designer(rows: readonly IspRow[]): DesignOf {
  const byDomain = new Map(rows.flatMap((row) => row.domains.map(({ domain }) => [domain, row] as const)))
  return (address) => {
    const key = canonical(address)
    const domain = domainOf(key)
    if (domain === NULL_MX_DOMAIN) return { end: 'refused', why: 'null-mx' }
    if (domain === SERVFAIL_DOMAIN) return { end: 'never', why: 'servfail' }
    return byDomain.has(domain) ? designOfWord(wordOf(localOf(key))) : { end: 'refused', why: 'no-such-domain' }
  }
}
