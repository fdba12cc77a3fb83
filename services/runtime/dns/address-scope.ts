import { BlockList, isIP } from 'node:net'

/**
 * Where an address can be: `private` = loopback, link-local, or a network of somebody's own; `unusable` = nobody's host (multicast, documentation, reserved);
 * `global` = the rest. From the IANA special-purpose address registries (RFC 6890).
 */
export type AddressScope = 'global' | 'private' | 'unusable'

const PRIVATE_V4 = [
  ['127.0.0.0', 8], // loopback
  ['10.0.0.0', 8], // RFC 1918
  ['172.16.0.0', 12], // RFC 1918
  ['192.168.0.0', 16], // RFC 1918
  ['169.254.0.0', 16], // link-local, and the metadata services of clouds
  ['100.64.0.0', 10], // carrier-grade NAT, RFC 6598
  ['198.18.0.0', 15], // benchmarks, RFC 2544
] as const
const UNUSABLE_V4 = [
  ['0.0.0.0', 8], // "this host": reaches loopback on Linux
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const
const PRIVATE_V6 = [
  ['::1', 128], // loopback
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local, deprecated, still routed here and there
  ['fc00::', 7], // unique local, RFC 4193
] as const
const UNUSABLE_V6 = [
  ['::', 96], // unspecified and IPv4-compatible
  ['100::', 64], // discard
  ['2001:db8::', 32], // documentation
  ['3fff::', 20], // documentation
  ['ff00::', 8], // multicast
] as const

const PRIVATE = blockList(PRIVATE_V4, PRIVATE_V6)
const UNUSABLE = blockList(UNUSABLE_V4, UNUSABLE_V6)

export function addressScope(address: string): AddressScope {
  const family = isIP(address)
  if (family === 0) return 'unusable'
  const bare = address.split('%')[0] as string
  // Private first: ::1 lies inside the unusable ::/96.
  if (PRIVATE.check(bare, family === 4 ? 'ipv4' : 'ipv6')) return 'private'
  return UNUSABLE.check(bare, family === 4 ? 'ipv4' : 'ipv6') ? 'unusable' : 'global'
}

/** Loopback, RFC 1918, link-local, ULA, CGNAT …, also inside IPv6 (mapped, NAT64, 6to4). */
export function isPrivateAddress(address: string): boolean {
  return addressScope(address) === 'private'
}

/**
 * The guard before a connect (`allow_private_mx`, `only_private_mx` of the fleet file): an MX record of a stranger must not lead us into our own network, and a demo
 * must not mail the world, whatever DNS says. Null: go.
 */
export function whyNotConnect(
  address: string,
  network: { readonly allowPrivateMx: boolean; readonly onlyPrivateMx: boolean },
): 'private-mx' | 'public-mx' | 'unusable-address' | null {
  switch (addressScope(address)) {
    case 'unusable':
      return 'unusable-address'
    case 'private':
      return network.allowPrivateMx || network.onlyPrivateMx ? null : 'private-mx'
    case 'global':
      return network.onlyPrivateMx ? 'public-mx' : null
  }
}

/** With the same networks behind NAT64 (RFC 6052) and 6to4 (RFC 3056); BlockList looks behind `::ffff:` by itself. */
function blockList(v4: readonly (readonly [string, number])[], v6: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, bits] of v4) {
    const [a = 0, b = 0, c = 0, d = 0] = net.split('.').map(Number)
    const high = ((a << 8) | b).toString(16)
    const low = ((c << 8) | d).toString(16)
    list.addSubnet(net, bits, 'ipv4')
    list.addSubnet(`64:ff9b::${high}:${low}`, 96 + bits, 'ipv6')
    list.addSubnet(`2002:${high}:${low}::`, 16 + bits, 'ipv6')
  }
  for (const [net, bits] of v6) list.addSubnet(net, bits, 'ipv6')
  return list
}
