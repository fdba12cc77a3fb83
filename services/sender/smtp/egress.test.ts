import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { connectThrough, parseEgress } from './egress.ts'
import { openSession } from './open.ts'
import { addressBytes, proxyHeader } from './proxy-header.ts'
import { PATIENT, codes, mail, opened, options } from './testing/client.ts'
import { serve, startPeer } from './testing/peer.ts'

interface Proxy extends AsyncDisposable {
  readonly url: string
  /** what each client asked for, in words */
  readonly asked: string[]
}

/** A proxy on loopback that speaks its handshake and then really relays. `handshake` returns where to, or null after having refused. */
async function startProxy(scheme: string, handshake: (client: Socket, asked: string[]) => Promise<{ host: string; port: number } | null>): Promise<Proxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer((client) => {
    keep(client)
    void handshake(client, asked).then((target) => {
      if (target === null) return client.end()
      const far = keep(connect(target.port, target.host))
      far.pipe(client)
      client.pipe(far)
      return undefined
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `${scheme}127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function take(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null
    if (bytes !== null) return bytes
    await once(socket, 'readable')
  }
}

/** RFC 1928 as a server; `reply` other than 0 refuses the connection. */
const socks5 =
  (login: string | null, reply = 0) =>
  async (client: Socket, asked: string[]) => {
    const [, count = 0] = await take(client, 2)
    const methods = [...(await take(client, count))]
    const method = login === null ? 0 : 2
    client.write(Buffer.from([5, methods.includes(method) ? method : 0xff]))
    if (!methods.includes(method)) return null
    if (login !== null) {
      const [, nameLength = 0] = await take(client, 2)
      const name = await take(client, nameLength)
      const [passLength = 0] = await take(client, 1)
      const given = `${name.toString()}:${(await take(client, passLength)).toString()}`
      client.write(Buffer.from([1, given === login ? 0 : 1]))
      if (given !== login) return null
    }
    const request = await take(client, 10)
    const target = { host: [...request.subarray(4, 8)].join('.'), port: request.readUInt16BE(8) }
    asked.push(`${request[1]} ${target.host}:${target.port}`)
    client.write(Buffer.from([5, reply, 0, 1, 127, 0, 0, 9, 1, 2]))
    return reply === 0 ? target : null
  }

/** PROXY v2 as a server, over TCP and IPv4. */
async function haproxy(client: Socket, asked: string[]) {
  const header = await take(client, 16)
  const rest = await take(client, header.readUInt16BE(14))
  const [from, to] = [[...rest.subarray(0, 4)].join('.'), [...rest.subarray(4, 8)].join('.')]
  asked.push(`${header.subarray(0, 14).toString('hex')} ${from} → ${to}:${rest.readUInt16BE(10)}`)
  return { host: to, port: rest.readUInt16BE(10) }
}

const through = (url: string) => ({ connectVia: connectThrough(parseEgress(url)!) })

describe('a session', () => {
  test.each([
    ['socks5://', socks5(null)],
    ['socks5://user:p%40ss@', socks5('user:p@ss')],
  ])('through %s…', async (scheme, handshake) => {
    await using peer = await startPeer((talk) => serve(talk, ['PIPELINING', 'STARTTLS']))
    await using proxy = await startProxy(scheme, handshake)
    await using session = await opened(peer, { ...through(proxy.url), tls: 'required' })
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(proxy.asked).toEqual([`1 ${peer.address}:${peer.port}`])
  })

  test('through haproxy://, which is told the address to send from', async () => {
    await using peer = await startPeer((talk) => serve(talk, ['PIPELINING']))
    await using proxy = await startProxy('haproxy://', haproxy)
    await using session = await opened(peer, { ...through(proxy.url), localAddress: '203.0.113.7' })
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(proxy.asked).toEqual([`0d0a0d0a000d0a515549540a2111 203.0.113.7 → ${peer.address}:${peer.port}`])
  })

  test.each([
    [5, 'ECONNREFUSED'],
    [3, 'ENETUNREACH'],
    [2, 'EPROXY'],
  ])('refused by the proxy with %d: %s', async (reply, code) => {
    await using proxy = await startProxy('socks5://', socks5(null, reply))
    expect(await openSession(options({ address: '127.0.2.9', port: 25 }, through(proxy.url)))).toMatchObject({ stage: 'connect', fault: { code } })
  })

  test('not through a proxy that wants another password, that closes, that speaks something else, that is not there: that is ours', async () => {
    const web = async (client: Socket) => {
      client.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      return null
    }
    const proxies = [socks5('a:b'), async () => null, web]
    for (const handshake of proxies) {
      await using proxy = await startProxy('socks5://c:d@', handshake)
      expect(await openSession(options({ address: '127.0.2.9', port: 25 }, through(proxy.url)))).toMatchObject({ stage: 'connect', fault: { code: 'EPROXY' } })
    }
    expect(await openSession(options({ address: '127.0.2.9', port: 25 }, through('socks5://127.0.0.1:1')))).toMatchObject({ fault: { code: 'EPROXY' } })
  })

  test('waits for a silent proxy no longer than for a connection', async () => {
    await using proxy = await startProxy('socks5://', () => new Promise(() => {}))
    const silent = options({ address: '127.0.2.9', port: 25 }, { ...through(proxy.url), timeouts: { ...PATIENT, connectMs: 50 } })
    expect(await openSession(silent)).toMatchObject({ stage: 'connect', fault: { code: 'ETIMEDOUT' } })
  })
})

test.each([
  ['bind', { kind: 'bind' }],
  ['auto', { kind: 'bind' }],
  ['haproxy://10.0.0.1:5000', { kind: 'haproxy', host: '10.0.0.1', port: 5000 }],
  ['haproxy://[2001:db8::1]:5000', { kind: 'haproxy', host: '2001:db8::1', port: 5000 }],
  ['socks5://gate.example:1080', { kind: 'socks5', host: 'gate.example', port: 1080, login: null }],
  ['socks5://u:p%3A@gate.example:1080', { kind: 'socks5', host: 'gate.example', port: 1080, login: { user: 'u', pass: 'p:' } }],
  ['socks5://gate.example', null],
  ['haproxy://u:p@gate.example:1', null],
  ['http://gate.example:1', null],
  ['socks5://gate.example:1/path', null],
  ['nonsense', null],
])('egress %s', (text, egress) => {
  expect(parseEgress(text)).toEqual(egress)
})

test.each([
  ['203.0.113.5', 'cb007105'],
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['2001:db8::8:0:1', '20010db80000000000000008' + '00000001'],
  ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
  ['::ffff:203.0.113.5', '00000000000000000000ffffcb007105'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
])('%s in bytes', (address, hex) => {
  expect(addressBytes(address).toString('hex')).toBe(hex)
})

test('a PROXY header over IPv6 is 52 bytes and names both ends', () => {
  const header = proxyHeader({ address: '2001:db8::1', port: 40_000 }, { address: '2001:db8::2', port: 25 })
  expect(header).toHaveLength(52)
  expect(header.subarray(12, 16).toString('hex')).toBe('21210024')
  expect([header.readUInt16BE(48), header.readUInt16BE(50)]).toEqual([40_000, 25])
})
