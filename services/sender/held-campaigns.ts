import { KEYS } from '../../protocol/buckets.ts'
import { decode } from '../../protocol/codec.ts'
import type { HeldKey } from '../../protocol/messages/permission.ts'

/** Campaigns whose mail nobody begins now: everywhere (paused, cancelling), or at some sites (a breaker, a person). As bucket `campaigns` tells. */
export class HeldCampaigns {
  readonly #keys = new Map<string, HeldKey>()

  /** What a key says now; null = it went. Returns the campaign, and its sites where it is not held everywhere; null = nothing is held (any more). */
  told(key: string, value: Uint8Array | null): { readonly tenant: string; readonly campaign: string; readonly sites: readonly string[] | null } | null {
    if (value === null) {
      this.#keys.delete(key)
      return null
    }
    const held = decode<HeldKey>(value)
    this.#keys.set(key, held)
    const [, tenant = '', campaign = ''] = key.split('.')
    return { tenant, campaign, sites: held.state === 'running' ? (held.sites ?? []) : null }
  }

  has({ tenant, campaign, site }: { readonly tenant: string; readonly campaign: string; readonly site: string }): boolean {
    const held = this.#keys.get(KEYS.held(tenant, campaign))
    return held !== undefined && (held.state !== 'running' || (held.sites?.includes(site) ?? false))
  }
}
