import { getServers } from 'node:dns'
import { isIP } from 'node:net'

/** One resolver we ask. */
export interface DnsServer {
  readonly address: string
  readonly port: number
}

const DNS_PORT = 53

/** `127.0.0.1:5355`, `9.9.9.9`, `::1`, `[::1]:53` → server; null when it is none (a name would need a resolver to resolve it). */
export function parseDnsServer(text: string): DnsServer | null {
  const match = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? (isIP(text) === 6 ? [text, text] : /^([^:]+)(?::(\d{1,5}))?$/.exec(text))
  const address = match?.[1]
  const port = match?.[2] === undefined ? DNS_PORT : Number(match[2])
  return address !== undefined && isIP(address) !== 0 && port > 0 && port < 65_536 ? { address, port } : null
}

/** The servers of /etc/resolv.conf, as Node read them at its start. */
export function systemDnsServers(): readonly DnsServer[] {
  return getServers()
    .map(parseDnsServer)
    .filter((server) => server !== null)
}
