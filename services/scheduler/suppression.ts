import { normaliseAddress } from '../../protocol/addresses.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { SuppressionEntry } from '../../protocol/messages/ops.ts'
import { STREAM } from '../../protocol/streams.ts'
import { readSubject, subject, wildcard } from '../../protocol/subjects.ts'
import type { EpochMs, Kind } from '../../protocol/words.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'

/** One message of the log: what was added or removed, at most 500 entries. */
interface LogMessage {
  readonly add?: readonly SuppressionEntry[]
  readonly remove?: readonly { readonly address: string; readonly list?: string | undefined }[]
}

/** An unknown user is tried once more after half a year (delivery.md §8). */
const UNKNOWN_USER_MS = 180 * 86_400_000

/**
 * Whom a tenant must not write to, and why (delivery.md §8): in memory for the check, in stream SUPPRESSION for ever.
 * Entries are kept by normalised address; the newest of an address and list counts.
 */
export class Suppression {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #byTenant = new Map<string, Map<string, SuppressionEntry[]>>()

  constructor(options: { bus: Bus; clock: Clock }) {
    this.#bus = options.bus
    this.#clock = options.clock
  }

  async load(): Promise<void> {
    this.#byTenant.clear()
    for await (const message of this.#bus.scan(STREAM.suppression, wildcard('suppressionLog'))) {
      const tenant = readSubject('suppressionLog', message.subject)?.tenant
      if (tenant) this.#apply(tenant, decode<LogMessage>(message.body))
    }
  }

  /** Does an entry hold this campaign's mail to the address back? */
  has(campaign: Pick<CampaignRecord, 'tenant' | 'kind'> & { readonly listId?: string | null }, address: string): boolean {
    const entries = this.#byTenant.get(campaign.tenant)?.get(normaliseAddress(address) ?? address)
    return entries?.some((entry) => holds(entry, campaign.kind, campaign.listId ?? null, this.#clock.now())) ?? false
  }

  find(tenant: string, address: string): readonly SuppressionEntry[] {
    return this.#byTenant.get(tenant)?.get(normaliseAddress(address) ?? address) ?? []
  }

  /** Pages by address; `after` is the last one of the page before. */
  list(tenant: string, after: string | null, limit: number): SuppressionEntry[] {
    const addresses = [...(this.#byTenant.get(tenant)?.keys() ?? [])].sort()
    const from = after === null ? 0 : addresses.findIndex((address) => address > after)
    return from === -1 ? [] : addresses.slice(from, from + limit).flatMap((address) => this.find(tenant, address))
  }

  count(tenant: string): number {
    return this.#byTenant.get(tenant)?.size ?? 0
  }

  async add(tenant: string, entries: readonly SuppressionEntry[]): Promise<void> {
    const now = this.#clock.now()
    await this.#write(tenant, { add: entries.map((entry) => completed(entry, now)) })
  }

  async remove(tenant: string, addresses: readonly string[], list?: string): Promise<number> {
    const known = addresses.filter((address) => this.find(tenant, address).length > 0)
    if (known.length > 0) await this.#write(tenant, { remove: known.map((address) => ({ address, list })) })
    return known.length
  }

  async #write(tenant: string, message: LogMessage): Promise<void> {
    const stored = await this.#bus.store(subject('suppressionLog', { tenant }), encode(message))
    if (stored.kind === 'refused') throw new Error(`suppression of ${tenant} refused: ${stored.code} ${stored.message}`)
    this.#apply(tenant, message)
  }

  #apply(tenant: string, { add = [], remove = [] }: LogMessage): void {
    const own = this.#byTenant.get(tenant) ?? new Map<string, SuppressionEntry[]>()
    this.#byTenant.set(tenant, own)
    for (const entry of add) {
      const key = normaliseAddress(entry.address) ?? entry.address
      own.set(key, [...(own.get(key) ?? []).filter((old) => old.list !== entry.list), entry])
    }
    for (const { address, list } of remove) {
      const key = normaliseAddress(address) ?? address
      const left = list === undefined ? [] : (own.get(key) ?? []).filter((old) => old.list !== list)
      if (left.length > 0) own.set(key, left)
      else own.delete(key)
    }
  }
}

function completed(entry: SuppressionEntry, now: EpochMs): SuppressionEntry {
  const since = entry.since ?? new Date(now).toISOString()
  const until = entry.until ?? (entry.reason === 'unknown-user' ? new Date(now + UNKNOWN_USER_MS).toISOString() : null)
  return { ...entry, since, until }
}

/** Unsubscribes hold their list's marketing, complaints marketing and notices, the rest everything but transactional mail where it is not an unknown user or a hand entry. */
function holds(entry: SuppressionEntry, kind: Kind, list: string | null, now: EpochMs): boolean {
  if (entry.until && Date.parse(entry.until) <= now) return false
  switch (entry.reason) {
    case 'unsubscribe':
      return kind === 'marketing' && (entry.list === undefined || entry.list === list)
    case 'complaint':
      return kind !== 'transactional'
    case 'unknown-user':
    case 'by-hand':
      return true
    default:
      return kind !== 'transactional'
  }
}
