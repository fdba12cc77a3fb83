import { z } from 'zod'

/** Ids, tenants, pools (design §4 "Forms"). */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/
export const Id = z.string().regex(ID_PATTERN, 'must be 1 to 64 of A-Z a-z 0-9 _ -')

/** A campaign's full name inside Hato. */
export interface CampaignKey {
  readonly tenant: string
  readonly id: string
}

/** `acme/spring-2026`, as people write it. */
export function campaignName({ tenant, id }: CampaignKey): string {
  return `${tenant}/${id}`
}

/** The reading of `TENANT/ID`; null when it is not one. */
export function parseCampaignName(name: string): CampaignKey | null {
  const [tenant, id, ...rest] = name.split('/')
  if (!tenant || !id || rest.length > 0 || !ID_PATTERN.test(tenant) || !ID_PATTERN.test(id)) return null
  return { tenant, id }
}
