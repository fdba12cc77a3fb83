import { createServer } from 'node:net'
import type { FleetIp } from '../../protocol/fleet.ts'

/** The fleet IPs, by `address`, that this host can send from: what the kernel lets it bind, and everything that leaves through a proxy or by `auto`. */
export async function usableIps(ips: readonly FleetIp[]): Promise<string[]> {
  const checked = await Promise.all(ips.map(async (ip) => ((await isUsable(ip)) ? [ip.address] : [])))
  return checked.flat()
}

async function isUsable(ip: FleetIp): Promise<boolean> {
  return ip.egress !== 'bind' || canBind(ip.bind ?? ip.address)
}

function canBind(address: string): Promise<boolean> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  server.once('error', () => resolve(false))
  server.listen(0, address, () => server.close(() => resolve(true)))
  return promise
}
