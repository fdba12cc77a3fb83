import { ELSEWHERE } from './elsewhere.ts'
import { EUROPE } from './europe.ts'
import { FILTERS } from './filters.ts'
import { HOSTING } from './hosting.ts'
import { JAPAN } from './japan.ts'
import { TAIL } from './row.ts'
import type { ProviderRow } from './row.ts'
import { WORLDWIDE } from './worldwide.ts'

export interface Providers {
  readonly rows: readonly ProviderRow[]
  /** what everybody else gets */
  readonly tail: ProviderRow
}

/**
 * The table as Hato ships it: a start, to be corrected by what the router learns and by `[[isp]]` rows of the fleet file.
 * NOTE: MX names could not be looked up live when it was written; the sample sets are as published, the marks in `since` say how sure each row is.
 */
export const BUILT_IN_PROVIDERS: Providers = { rows: [...WORLDWIDE, ...JAPAN, ...EUROPE, ...ELSEWHERE, ...FILTERS, ...HOSTING], tail: TAIL }

/** The table made ready for millions of questions. */
export interface ProviderTable extends Providers {
  /** the row that *all* hosts match; null when there is none, they disagree, or there is no host */
  ofHosts(hosts: readonly string[]): ProviderRow | null
  /** the row that claims a recipient domain without asking DNS */
  ofDomain(domain: string): ProviderRow | null
  /** by name; null (a tail site) and unknown names (an order from before a row was removed) get the tail's values */
  row(name: string | null): ProviderRow
}

export function providerTable(providers: Providers): ProviderTable {
  const byName = new Map(providers.rows.map((row) => [row.name, row]))
  const bySuffix = new Map(providers.rows.flatMap((row) => row.mx.map((suffix) => [suffix, row])))
  const byDomain = new Map(providers.rows.flatMap((row) => row.domains.map((domain) => [domain, row])))
  const ofHost = (host: string) => longestSuffix(bySuffix, plain(host))
  return {
    ...providers,
    ofHosts(hosts) {
      const [first, ...others] = hosts.map(ofHost)
      return first !== undefined && others.every((row) => row === first) ? first : null
    },
    ofDomain: (domain) => byDomain.get(plain(domain)) ?? null,
    row: (name) => (name === null ? undefined : byName.get(name)) ?? providers.tail,
  }
}

/** Label by label from the left, so that the longest suffix is met first and `notgoogle.com` meets none. */
function longestSuffix(bySuffix: ReadonlyMap<string, ProviderRow>, host: string): ProviderRow | null {
  for (let suffix = host; ; suffix = suffix.slice(suffix.indexOf('.') + 1)) {
    const row = bySuffix.get(suffix)
    if (row !== undefined) return row
    if (!suffix.includes('.')) return null
  }
}

function plain(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}
