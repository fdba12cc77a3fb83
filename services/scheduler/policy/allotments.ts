import type { FleetTenant } from '../../../protocol/fleet.ts'
import type { TenantShare } from '../../../protocol/messages/permission.ts'
import type { EpochMs, Lane } from '../../../protocol/words.ts'
import { type Day, counted, countOf, fitsAt } from './day.ts'
import { type FromPlan, type FromRamp, isForgotten, newRamp, roomAt, sent } from './from-ramp.ts'
import { type Allowed, earn, earnedAt } from './pace.ts'

/** Whose mail it is and where it goes: what its allotments hang on. */
export interface Claimant {
  readonly tenant: string
  readonly pool: string
  readonly lane: Lane
  /** the From domain; absent in records of an older version */
  readonly from?: string
}
export interface Place {
  readonly site: string
  /** null = the tail: a From domain warms up at known providers alone */
  readonly provider: string | null
}

export interface AllotmentRules {
  tenant(name: string): Pick<FleetTenant, 'daily_limit' | 'urgent_rate'> | undefined
  share(tenant: string, pool: string, site: string): TenantShare | null
  fromPlan(): FromPlan
}

export interface Refusal {
  readonly because: 'daily-limit' | 'urgent-rate' | 'tenant-share' | 'from-ramp'
  readonly until: EpochMs
}

/** What is kept over a restart; seconds of pace are not worth it. */
export interface Kept {
  readonly v: 1
  readonly days: readonly (readonly [tenant: string, day: Day])[]
  readonly ramps: readonly (readonly [key: string, ramp: FromRamp])[]
}

interface Paced {
  readonly because: 'urgent-rate' | 'tenant-share'
  readonly pace: Allowed
  readonly perS: number
}
const NO_PACES: readonly Paced[] = []

/** A tenant's urgent recipients a second where the fleet file names no `urgent_rate`: far above what people cause, far below what stops the others. */
const URGENT_PER_S = 1_000
/** From domains remembered, each at each known provider; who sent longest ago goes first. */
const RAMPS_MOST = 20_000

/**
 * What may be released for whom beyond a site's own pace: the tenant's day, its urgent rate, its halved share of a shared pool, the warm-up of a From domain.
 * Decides and counts; time comes in.
 */
export class AllotmentBook {
  readonly #rules: AllotmentRules
  readonly #days = new Map<string, Day>()
  readonly #ramps = new Map<string, FromRamp>()
  readonly #paces = new Map<string, Allowed>()
  changed = false

  constructor(rules: AllotmentRules, kept: Kept | null = null) {
    this.#rules = rules
    for (const [tenant, day] of kept?.days ?? []) this.#days.set(tenant, day)
    for (const [key, ramp] of kept?.ramps ?? []) this.#ramps.set(key, ramp)
  }

  /** Why `count` recipients may not go there now: the reason that lasts longest; null = they may. */
  refusal(who: Claimant, { site, provider }: Place, count: number, now: EpochMs): Refusal | null {
    const refusals: Refusal[] = []
    const refuse = (refusal: Refusal) => refusal.until > now && refusals.push(refusal)
    const tenant = this.#rules.tenant(who.tenant)
    if (tenant?.daily_limit !== undefined) {
      refuse({ because: 'daily-limit', until: fitsAt(this.#days.get(who.tenant) ?? [], count, tenant.daily_limit, now) })
    }
    for (const { because, pace, perS } of this.#pacesOf(who, site, now)) refuse({ because, until: earnedAt(pace, perS, now) })
    const ramp = this.#rampOf(who, site, provider, now)
    if (ramp !== null) refuse({ because: 'from-ramp', until: roomAt(ramp.ramp, this.#rules.fromPlan(), count, now) })
    return refusals.sort((a, b) => b.until - a.until)[0] ?? null
  }

  /** May all of these go now, at once? */
  admits(who: Claimant, parts: readonly (Place & { readonly recipients: { readonly length: number } })[], now: EpochMs): boolean {
    const whole = parts.reduce((sum, { recipients }) => sum + recipients.length, 0)
    return parts.every((part) => this.refusal(who, part, whole, now) === null)
  }

  spend(who: Claimant, { site, provider }: Place, count: number, now: EpochMs): void {
    if (this.#rules.tenant(who.tenant)?.daily_limit !== undefined) {
      this.#days.set(who.tenant, counted(this.#days.get(who.tenant) ?? [], count, now))
      this.changed = true
    }
    for (const { pace } of this.#pacesOf(who, site, now)) pace.allowed -= count
    const ramp = this.#rampOf(who, site, provider, now)
    if (ramp === null) return
    this.#ramps.delete(ramp.key) // so that it stands last
    this.#ramps.set(ramp.key, sent(ramp.ramp, count, now))
    this.changed = true
    for (const oldest of this.#ramps.keys()) {
      if (this.#ramps.size <= RAMPS_MOST) break
      this.#ramps.delete(oldest)
    }
  }

  /** The part of its weight that a tenant has of a shared pool at a site. */
  share({ tenant, pool }: Claimant, site: string): number {
    return this.#rules.share(tenant, pool, site)?.share ?? 1
  }

  /** What is worth keeping; what is over is forgotten with it. */
  keep(now: EpochMs): Kept {
    for (const [tenant, day] of this.#days) if (countOf(day, now) === 0) this.#days.delete(tenant)
    for (const [key, { at, allowed }] of this.#paces) if (now - at > 60_000 && allowed >= 1) this.#paces.delete(key)
    for (const [key, ramp] of this.#ramps) if (isForgotten(ramp, now)) this.#ramps.delete(key)
    this.changed = false
    return { v: 1, days: [...this.#days], ramps: [...this.#ramps] }
  }

  #pacesOf({ tenant, pool, lane }: Claimant, site: string, now: EpochMs): readonly Paced[] {
    const urgentPerS = lane === 'urgent' ? (this.#rules.tenant(tenant)?.urgent_rate ?? URGENT_PER_S) : undefined
    const halved = this.#rules.share(tenant, pool, site)
    if (urgentPerS === undefined && halved === null) return NO_PACES
    return [
      ...(urgentPerS === undefined ? [] : [{ because: 'urgent-rate' as const, pace: this.#pace(`urgent ${tenant}`, urgentPerS, now), perS: urgentPerS }]),
      ...(halved === null
        ? []
        : [{ because: 'tenant-share' as const, pace: this.#pace(`share ${tenant} ${pool} ${site}`, halved.perS, now), perS: halved.perS }]),
    ]
  }

  #pace(key: string, perS: number, now: EpochMs): Allowed {
    const pace = this.#paces.get(key) ?? { allowed: 0, at: 0 }
    this.#paces.set(key, pace)
    earn(pace, perS, now)
    return pace
  }

  #rampOf({ from }: Claimant, site: string, provider: string | null, now: EpochMs): { readonly key: string; readonly ramp: FromRamp } | null {
    if (provider === null || from === undefined || this.#rules.fromPlan().start === 0) return null
    const key = `${from} ${site}`
    const known = this.#ramps.get(key)
    return { key, ramp: known === undefined || isForgotten(known, now) ? newRamp(now) : known }
  }
}
