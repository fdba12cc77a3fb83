/** IP addresses as numbers. Without node:net, so that decisions may use it. */

export interface AddressBits {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** `203.0.113.7` or `2001:db8::1` (also with a dotted end); null when it is no address. */
export function addressBits(text: string): AddressBits | null {
  return text.includes(':') ? ipv6(text) : ipv4(text)
}

/** Do the first `prefix` bits agree? An IPv4 and an IPv6 address never do. */
export function inRange(address: AddressBits, range: AddressBits, prefix: number): boolean {
  if (address.bits !== range.bits || prefix < 0 || prefix > address.bits) return false
  const rest = BigInt(address.bits - prefix)
  return address.value >> rest === range.value >> rest
}

function ipv4(text: string): AddressBits | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const parts = match?.slice(1).map(Number)
  if (!parts || parts.some((part) => part > 255)) return null
  return { bits: 32, value: parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n) }
}

function ipv6(text: string): AddressBits | null {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const last = dotted ? ipv4(dotted[2] as string) : null
  if (dotted && last === null) return null
  const hex = dotted && last ? `${dotted[1]}${(last.value >> 16n).toString(16)}:${(last.value & 0xffffn).toString(16)}` : text
  const halves = hex.split('::')
  if (halves.length > 2) return null
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - left.length - right.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const groups = [...left, ...new Array<string>(missing).fill('0'), ...right]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null
  return { bits: 128, value: groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) }
}

/** 32 nibbles or 4 octets in order, as SPF's `%{i}` writes an address (RFC 7208 7.3). */
export function addressParts({ bits, value }: AddressBits): string[] {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n))
  return [...value.toString(16).padStart(32, '0')]
}
