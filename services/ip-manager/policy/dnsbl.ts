import type { DnsblConfig } from '../../../protocol/dnsbl-config.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import { addressBits, addressParts, inRange } from '../../content/preflight/ip-range.ts'

/**
 * When a block list by DNS is believed (delivery.md §7, RFC 5782): a listing counts only with a listed code, while the list's own test entries answer as
 * they should, and when it was seen twice within ten minutes. Lists die, answer everybody, or answer our resolver alone; none of that may stop a fleet.
 */
export interface ZoneView {
  /** last seen with a listed code, by address */
  readonly seen: Readonly<Record<string, EpochMs>>
  /** believed listings, by address */
  readonly listed: Readonly<Record<string, Listing>>
  /** why nothing it says counts at the moment; null = it is believed */
  readonly disbelieved: string | null
}
export interface Listing {
  readonly code: string
  readonly since: EpochMs
  /** a person released the IP although it is listed: it is quarantined for this listing no more */
  readonly released: boolean
}

export const UNKNOWN_ZONE: ZoneView = { seen: {}, listed: {}, disbelieved: null }

/** One look at a zone. Answers are its A records; none = not listed; null = DNS did not say. */
export interface Round {
  /** what 127.0.0.2 gets, which must always be listed (RFC 5782 5) */
  readonly listedTest: readonly string[] | null
  /** what 127.0.0.1 gets, which must never be */
  readonly cleanTest: readonly string[] | null
  readonly addresses: ReadonlyMap<string, readonly string[] | null>
}

/** Two sightings so far apart at most make a listing. */
const TWICE_WITHIN_MS = 600_000
/** Listed at once with so much of the fleet it is the zone that is wrong; one address alone is no fleet. */
const FLEET_SHARE = 0.5

export interface Heard {
  readonly view: ZoneView
  readonly added: readonly { readonly address: string; readonly code: string }[]
  readonly gone: readonly string[]
}

export function hearRound(view: ZoneView, { codes }: Pick<DnsblConfig, 'codes'>, round: Round, now: EpochMs): Heard {
  const disbelieved = whyNot(codes, round)
  // What was believed before stands until a sound answer takes it back.
  if (disbelieved !== null) return { view: { ...view, seen: {}, disbelieved }, added: [], gone: [] }
  const seen: Record<string, EpochMs> = {}
  const listed: Record<string, Listing> = {}
  const added: { address: string; code: string }[] = []
  const gone: string[] = []
  for (const [address, answers] of round.addresses) {
    const before = view.listed[address]
    const code = answers === null ? null : codeOf(answers, codes)
    if (answers === null) {
      if (before !== undefined) listed[address] = before
      if (view.seen[address] !== undefined) seen[address] = view.seen[address]
    } else if (code === null) {
      if (before !== undefined) gone.push(address)
    } else {
      seen[address] = now
      const lastSeen = view.seen[address] ?? Number.NEGATIVE_INFINITY
      if (before !== undefined) listed[address] = { ...before, code }
      else if (now - lastSeen <= TWICE_WITHIN_MS) {
        listed[address] = { code, since: now, released: false }
        added.push({ address, code })
      }
    }
  }
  return { view: { seen, listed, disbelieved: null }, added, gone }
}

/** When to look again: soon after a first sighting, so that the second can come in time. */
export function nextRoundMs(view: ZoneView, { every }: Pick<DnsblConfig, 'every'>): number {
  const pending = Object.keys(view.seen).some((address) => view.listed[address] === undefined)
  return pending ? Math.min(every, TWICE_WITHIN_MS / 2) : every
}

/** `127.0.1.7` in `bl.example` → `7.1.0.127.bl.example`; IPv6 by nibbles (RFC 5782 2.4). Null for what is no address. */
export function questionOf(address: string, zone: string): string | null {
  const bits = addressBits(address)
  return bits === null ? null : `${addressParts(bits).reverse().join('.')}.${zone.replace(/\.$/, '')}`
}

export const LISTED_TEST = '127.0.0.2'
export const CLEAN_TEST = '127.0.0.1'

function whyNot(codes: readonly string[], { listedTest, cleanTest, addresses }: Round): string | null {
  if (listedTest === null || cleanTest === null) return 'DNS does not answer for its test entries'
  if (codeOf(listedTest, codes) === null) return `its test entry ${LISTED_TEST} is not listed`
  if (cleanTest.length > 0) return `it lists ${CLEAN_TEST}, so it lists everybody`
  const listed = [...addresses.values()].filter((answers) => answers !== null && codeOf(answers, codes) !== null).length
  if (listed > 1 && listed >= addresses.size * FLEET_SHARE) return `it lists ${listed} of our ${addresses.size} addresses at once`
  return null
}

/** The first answer that is a listing. 127.255.255.x is the list's word to the asker (wrong resolver, too many questions), whatever a row says. */
function codeOf(answers: readonly string[], codes: readonly string[]): string | null {
  return answers.find((answer) => !answer.startsWith('127.255.255.') && codes.some((range) => within(answer, range))) ?? null
}

function within(answer: string, range: string): boolean {
  const [from = '', to = from] = range.split('-')
  const [value, low, high] = [answer, from, to].map((text) => addressBits(text))
  const loopback = addressBits('127.0.0.0')
  if (!value || !low || !high || !loopback || !inRange(value, loopback, 8)) return false
  return value.value >= low.value && value.value <= high.value
}
