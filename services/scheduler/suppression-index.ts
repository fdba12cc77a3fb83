import type { SuppressionReason } from '../../protocol/messages/ops.ts'
import { EVERYBODY, SUPPRESSION_REASONS } from '../../protocol/messages/ops.ts'
import type { EpochMs, Kind } from '../../protocol/words.ts'
import { addressHash, type Hash64 } from './policy/address-hash.ts'
import { HELD_BY, reasonNumber } from './policy/holds.ts'
import { SuppressionTable } from './policy/suppression-table.ts'
import type { LogMessage, TakenOff, Told } from './suppression-log.ts'

/** What is kept of one tenant: some 20 octets an entry. */
export interface TenantIndex {
  readonly table: SuppressionTable
  /** that anybody was ever taken off: an address is looked for under each */
  readonly lists: Set<string>
}

/** Where the log tells of an entry, and what else names it. */
export interface Place {
  readonly list: string | null
  readonly reason: SuppressionReason
  readonly where: number
}

/** Why somebody gets nothing; `of` names the list where it is not the tenant's own as a whole. */
export interface Held {
  readonly reason: SuppressionReason
  readonly of: string
}

/** Who is suppressed, by hash: what the log has told so far, in its order. */
export class SuppressionIndex {
  readonly key: readonly [number, number]
  readonly #byTenant = new Map<string, TenantIndex>()

  constructor(key: readonly [number, number]) {
    this.key = key
  }

  heldBy(campaign: { readonly tenant: string; readonly kind: Kind; readonly listId?: string | null }, address: string, now: EpochMs): Held | null {
    const list = campaign.listId ?? null
    const hash = this.#hash(address, null)
    const own = this.#byTenant.get(campaign.tenant)
    return (
      heldIn(own, hash, campaign.kind, now, '') ??
      (list !== null && own?.lists.has(list) ? heldIn(own, this.#hash(address, list), campaign.kind, now, ` ${list}`) : null) ??
      heldIn(this.#byTenant.get(EVERYBODY), hash, campaign.kind, now, ' of all tenants')
    )
  }

  apply(tenant: string, where: number, { add, remove }: LogMessage): void {
    const own = this.of(tenant)
    for (const told of add) {
      const scope = scopeOf(told)
      if (scope !== null) own.lists.add(scope)
      own.table.set(this.#hash(told.address, scope), reasonNumber(told.reason), where, told.until)
    }
    for (const off of remove) for (const { list, reason } of this.#under(own, off)) own.table.delete(this.#hash(off.address, list), reasonNumber(reason))
  }

  /** All entries of an address. */
  placesOf(tenant: string, address: string): readonly Place[] {
    const own = this.#byTenant.get(tenant)
    return own === undefined ? [] : [...this.#under(own, { address, list: null })]
  }

  isOn(tenant: string, off: TakenOff): boolean {
    const own = this.#byTenant.get(tenant)
    return own !== undefined && !this.#under(own, off).next().done
  }

  /** Does the log's message at `where` still have the last word about it? */
  isLive(tenant: string, where: number, told: Told): boolean {
    return this.#byTenant.get(tenant)?.table.where(this.#hash(told.address, scopeOf(told)), reasonNumber(told.reason)) === where
  }

  count(tenant: string): number {
    return this.#byTenant.get(tenant)?.table.size ?? 0
  }

  get size(): number {
    return [...this.#byTenant.values()].reduce((sum, { table }) => sum + table.size, 0)
  }

  tenants(): IterableIterator<[string, TenantIndex]> {
    return this.#byTenant.entries()
  }

  of(tenant: string): TenantIndex {
    const known = this.#byTenant.get(tenant)
    if (known !== undefined) return known
    const made = { table: new SuppressionTable(), lists: new Set<string>() }
    this.#byTenant.set(tenant, made)
    return made
  }

  *#under(own: TenantIndex, { address, list: only }: TakenOff): Generator<Place, void> {
    for (const list of only === null ? [null, ...own.lists] : [only]) {
      const hash = this.#hash(address, list)
      for (const reason of SUPPRESSION_REASONS) {
        const where = own.table.where(hash, reasonNumber(reason))
        if (where !== 0) yield { list, reason, where }
      }
    }
  }

  /** `list`: of an entry that holds this list only. No address has a NUL. */
  #hash(address: string, list: string | null): Hash64 {
    return addressHash(this.key, list === null ? address : `${address}\0${list}`)
  }
}

function heldIn(tenant: TenantIndex | undefined, hash: Hash64, kind: Kind, now: EpochMs, of: string): Held | null {
  const bits = tenant === undefined ? 0 : tenant.table.reasonsOf(hash, now) & HELD_BY[kind]
  return bits === 0 ? null : { reason: SUPPRESSION_REASONS.find((_, at) => bits & (1 << at)) as SuppressionReason, of }
}

/** The list to which an entry is limited: a complaint or an unknown user concerns every list, whichever it came by. */
function scopeOf({ reason, list }: Told): string | null {
  return reason === 'unsubscribe' || reason === 'by-hand' ? list : null
}
