import type { Ip, Manager } from '../state.ts'

/** A zone marked so that lists the IP; null when there is none, or a person released the IP although it is. */
export function quarantiningZone(manager: Manager, address: string): string | null {
  for (const [zone, { quarantine }] of manager.fleet.zones) {
    const listing = manager.zones.get(zone)?.listed[address]
    if (quarantine && listing !== undefined && !listing.released) return zone
  }
  return null
}

/** Zone → code, of believed listings. */
export function listingsOf(manager: Manager, address: string): Record<string, string> {
  return Object.fromEntries(
    [...manager.fleet.zones.keys()].flatMap((zone) => {
      const listing = manager.zones.get(zone)?.listed[address]
      return listing === undefined ? [] : [[zone, listing.code]]
    }),
  )
}

/** A person released the IP: the listings it has now quarantine it no more. */
export function releaseListings(manager: Manager, { address }: Ip): void {
  for (const [zone, view] of manager.zones) {
    const listing = view.listed[address]
    if (listing !== undefined) manager.zones.set(zone, { ...view, listed: { ...view.listed, [address]: { ...listing, released: true } } })
  }
}
