import type { CampaignRecord, HeldSite } from '../../../protocol/messages/campaign.ts'
import type { HeldKey } from '../../../protocol/messages/permission.ts'
import type { EpochMs } from '../../../protocol/words.ts'

type Holds = NonNullable<CampaignRecord['heldSites']>

/** In the place of a site: held everywhere. No site is called so. */
export const EVERYWHERE = '*'

/** Is the campaign paused at this site? While what was parked there is being fired it is not any more. */
export function holdAt({ heldSites }: Pick<CampaignRecord, 'heldSites'>, site: string): HeldSite | null {
  for (const hold of [heldSites?.[EVERYWHERE], heldSites?.[site]]) if (hold !== undefined && !hold.resuming) return hold
  return null
}

export function withHold({ heldSites = {} }: Pick<CampaignRecord, 'heldSites'>, site: string, because: string, says: string, at: EpochMs): Holds {
  return { ...heldSites, [site]: { because, says, at } }
}

/** `sites` are lifted; they stand as `resuming` until what was parked there is on its way, so that a crash in between leaves nothing behind. */
export function lifted({ heldSites = {} }: Pick<CampaignRecord, 'heldSites'>, sites: readonly string[]): Holds {
  return Object.fromEntries(Object.entries(heldSites).map(([site, hold]) => [site, sites.includes(site) ? { ...hold, resuming: true as const } : hold]))
}

export function resumingSites({ heldSites = {} }: Pick<CampaignRecord, 'heldSites'>): string[] {
  return Object.keys(heldSites).filter((site) => heldSites[site]?.resuming)
}

export function withoutResuming({ heldSites = {} }: Pick<CampaignRecord, 'heldSites'>): Holds {
  return Object.fromEntries(Object.entries(heldSites).filter(([, { resuming }]) => !resuming))
}

/** What senders are told of the campaign; null = they may take all its mail. */
export function heldKeyOf({ state, heldSites = {} }: Pick<CampaignRecord, 'state' | 'heldSites'>): HeldKey | null {
  if (state === 'paused') return { state: 'paused' }
  if (state === 'cancelling') return { state: 'cancelled' }
  const sites = Object.keys(heldSites).filter((site) => !heldSites[site]?.resuming)
  if (sites.includes(EVERYWHERE)) return { state: 'paused' }
  return sites.length > 0 ? { state: 'running', sites } : null
}
