import { isIP, isIPv6, type Socket } from 'node:net'
import { ConnectFailed, connectDirectly, openTcp, type Connect } from './connect.ts'
import { proxyHeader } from './proxy-header.ts'
import { requestSocks5 } from './socks5.ts'
import { InvariantBroken } from '../../runtime/errors.ts'

/** How a source address reaches the world: the fleet file's `egress`. */
export type Egress =
  | { readonly kind: 'bind' }
  /** a TCP proxy that takes PROXY v2 and connects on from the address that the header names (haproxy, kumo-proxy) */
  | { readonly kind: 'haproxy'; readonly host: string; readonly port: number }
  | { readonly kind: 'socks5'; readonly host: string; readonly port: number; readonly login: { readonly user: string; readonly pass: string } | null }

/** Reads `bind`, `haproxy://host:port`, `socks5://[user:pass@]host:port` (user and pass percent-encoded); null when it is none of them. */
export function parseEgress(text: string): Egress | null {
  if (text === 'bind' || text === 'auto') return { kind: 'bind' }
  const url = URL.canParse(text) ? new URL(text) : null
  const port = Number(url?.port)
  if (url === null || url.hostname === '' || !Number.isInteger(port) || port < 1 || !['', '/'].includes(url.pathname)) return null
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (url.protocol === 'haproxy:') return url.username === '' ? { kind: 'haproxy', host, port } : null
  if (url.protocol !== 'socks5:') return null
  const login = url.username === '' ? null : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
  return { kind: 'socks5', host, port, login }
}

/** Trouble with the proxy itself is `EPROXY` and ours; what the proxy tells of the MX keeps its own code (`ECONNREFUSED`, …). */
export function connectThrough(egress: Egress): Connect {
  switch (egress.kind) {
    case 'bind':
      return connectDirectly
    case 'haproxy':
      return (request) =>
        throughProxy(egress, request, async (socket) => {
          const source = request.localAddress ?? socket.localAddress ?? ''
          socket.write(proxyHeader({ address: source, port: socket.localPort ?? 0 }, request))
        })
    case 'socks5':
      return (request) => throughProxy(egress, request, (socket) => requestSocks5(socket, egress.login, request))
  }
}

async function throughProxy(
  proxy: { readonly host: string; readonly port: number },
  request: Parameters<Connect>[0],
  handshake: (socket: Socket) => Promise<void>,
): Promise<Socket> {
  if (isIP(request.address) === 0) throw new InvariantBroken('egress-address', `${request.address} is not an address`)
  if (request.localAddress !== null && isIPv6(request.localAddress) !== isIPv6(request.address)) {
    throw new InvariantBroken('egress-address', `${request.localAddress} cannot reach ${request.address}: two address families`)
  }
  let connected = false
  try {
    return await openTcp(proxy, request.timeoutMs, request.signal, (socket) => {
      connected = true
      return handshake(socket)
    })
  } catch (error) {
    if (!(error instanceof ConnectFailed) || error.fault.code === 'ECUT') throw error
    // Before the handshake it is the proxy that cannot be reached; a time-out in it is the MX that the proxy waits for.
    if (connected && error.fault.code !== 'ECLOSED' && error.fault.code !== 'ECONNRESET') throw error
    throw new ConnectFailed({ code: 'EPROXY', message: `egress proxy ${proxy.host}:${proxy.port}: ${error.message}` })
  }
}
