import type { FleetIp } from '../../../protocol/fleet.ts'
import { addressBits } from '../../content/preflight/ip-range.ts'

/** Receivers count IPv6 by /64 (delivery.md §7): all our addresses within one share what one address may. */
export interface Ipv6Share {
  /** which of them this one is, from 0 */
  readonly at: number
  readonly of: number
}

/** The IPv6 addresses of the fleet that have neighbours in their /64. */
export function ipv6Shares(ips: readonly Pick<FleetIp, 'address'>[]): ReadonlyMap<string, Ipv6Share> {
  const networks = Map.groupBy(
    ips.flatMap(({ address }) => {
      const bits = addressBits(address)
      return bits?.bits === 128 ? [{ address, network: bits.value >> 64n }] : []
    }),
    ({ network }) => network,
  )
  return new Map([...networks.values()].flatMap((all) => (all.length < 2 ? [] : all.map(({ address }, at) => [address, { at, of: all.length }]))))
}

/** Its part of a whole number, so that all parts together are the whole: the first ones get what does not divide. */
export function partOf(whole: number, { at, of }: Ipv6Share): number {
  return Math.floor(whole / of) + (at < whole % of ? 1 : 0)
}
