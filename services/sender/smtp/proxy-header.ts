import { isIPv6 } from 'node:net'

const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const VERSION_2_PROXY = 0x21
const TCP_OVER_IPV4 = 0x11
const TCP_OVER_IPV6 = 0x21

interface Endpoint {
  readonly address: string
  readonly port: number
}

/** The binary header of the PROXY protocol, version 2 (haproxy, proxy-protocol.txt 2.2): the connection wanted is from `source` to `target`. */
export function proxyHeader(source: Endpoint, target: Endpoint): Buffer {
  const addresses = Buffer.concat([addressBytes(source.address), addressBytes(target.address)])
  const header = Buffer.alloc(4)
  header[0] = VERSION_2_PROXY
  header[1] = isIPv6(target.address) ? TCP_OVER_IPV6 : TCP_OVER_IPV4
  header.writeUInt16BE(addresses.length + 4, 2)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(source.port, 0)
  ports.writeUInt16BE(target.port, 2)
  return Buffer.concat([SIGNATURE, header, addresses, ports])
}

/** 4 or 16 bytes in network order; `::` and a dotted tail included. Takes addresses that `net.isIP` took. */
export function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number))
  const bare = address.split('%')[0]!
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(bare)
  const text = dotted === null ? bare : `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}`
  const [head = '', tail] = text.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...front, ...new Array<string>(8 - front.length - back.length).fill('0'), ...back]
  const bytes = Buffer.alloc(16)
  for (const [i, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2)
  return bytes
}

function hex(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}
