import { isIPv6, type Socket } from 'node:net'
import { ConnectFailed } from './connect.ts'
import { addressBytes } from './proxy-header.ts'
import type { Fault } from './types.ts'

const VERSION = 5
const NO_LOGIN = 0
const USER_AND_PASS = 2
const LOGIN_VERSION = 1
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4

/** RFC 1928 6: what the proxy says of the far end keeps the code a direct connection would have had; the rest is the proxy's own refusal. */
const REPLIES: Record<number, Fault> = {
  3: { code: 'ENETUNREACH', message: 'network unreachable, says the proxy' },
  4: { code: 'EHOSTUNREACH', message: 'host unreachable, says the proxy' },
  5: { code: 'ECONNREFUSED', message: 'connection refused, says the proxy' },
  6: { code: 'ETIMEDOUT', message: 'TTL expired, says the proxy' },
}

/** SOCKS5 CONNECT (RFC 1928; RFC 1929 where there is a login) on a fresh socket. Reads not a byte beyond the proxy's answer: the greeting follows it. */
export async function requestSocks5(
  socket: Socket,
  login: { readonly user: string; readonly pass: string } | null,
  target: { readonly address: string; readonly port: number },
): Promise<void> {
  socket.write(login === null ? Buffer.from([VERSION, 1, NO_LOGIN]) : Buffer.from([VERSION, 2, NO_LOGIN, USER_AND_PASS]))
  const [version, method] = await read(socket, 2)
  if (version !== VERSION) throw refusal('this is no SOCKS5 proxy')
  if (method === USER_AND_PASS && login !== null) await logIn(socket, login)
  else if (method !== NO_LOGIN) throw refusal('the proxy wants another way to log in')

  const port = Buffer.alloc(2)
  port.writeUInt16BE(target.port)
  socket.write(Buffer.concat([Buffer.from([VERSION, CONNECT, 0, isIPv6(target.address) ? IPV6 : IPV4]), addressBytes(target.address), port]))
  const [, reply = -1, , kind = 0] = await read(socket, 4)
  if (reply !== 0) throw new ConnectFailed(REPLIES[reply] ?? { code: 'EPROXY', message: `the proxy refuses the connection (SOCKS5 reply ${reply})` })
  const length = kind === IPV4 ? 4 : kind === IPV6 ? 16 : kind === NAME ? (await read(socket, 1))[0]! : -1
  if (length < 0) throw refusal('the proxy names its own address in no known way')
  await read(socket, length + 2)
}

async function logIn(socket: Socket, { user, pass }: { readonly user: string; readonly pass: string }): Promise<void> {
  const name = Buffer.from(user)
  const secret = Buffer.from(pass)
  socket.write(Buffer.concat([Buffer.from([LOGIN_VERSION, name.length]), name, Buffer.from([secret.length]), secret]))
  const [, status] = await read(socket, 2)
  if (status !== 0) throw refusal('the proxy refuses user and password')
}

/** Exactly `count` bytes. The caller watches for errors and for the close: then this never resolves, and is forgotten with the socket. */
async function read(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null
    if (bytes !== null) return bytes
    await new Promise<void>((resolve) => socket.once('readable', resolve))
  }
}

function refusal(message: string): ConnectFailed {
  return new ConnectFailed({ code: 'EPROXY', message })
}
