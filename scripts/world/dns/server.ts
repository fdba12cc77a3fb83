/** The world's DNS on UDP and TCP, one port. Rubbish is dropped and counted, as a real server does. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { answer, type DnsFaults } from './answer.ts'
import type { Zone } from './zone.ts'

export type DnsServer = AsyncDisposable & {
  readonly port: number
  /** queries answered or dropped on purpose, and packets that were none */
  readonly counts: { queries: number; unreadable: number }
}

type Options = { readonly zone: Zone; readonly faults: DnsFaults; readonly address: string; readonly port: number }

/** With port 0 the number that UDP gets may be taken on TCP; then another is tried. */
const TRIES = 20

export async function startDns(options: Options): Promise<DnsServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await listen(options)
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken || options.port !== 0 || tries === TRIES) throw error
    }
  }
}

async function listen({ zone, faults, address, port }: Options): Promise<DnsServer> {
  const counts = { queries: 0, unreadable: 0 }
  const respond = (wire: Buffer, over: 'udp' | 'tcp'): Buffer | null => {
    try {
      counts.queries += 1
      return answer(zone, faults, wire, over)
    } catch {
      // dns-packet throws RangeErrors and Errors of many kinds on bytes that are no DNS packet
      counts.unreadable += 1
      return null
    }
  }
  const udp = dgram.createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1_048_576 })
  udp.on('message', (wire, peer) => {
    const said = respond(wire, 'udp')
    if (said !== null) udp.send(said, peer.port, peer.address)
  })
  udp.bind(port, address)
  await once(udp, 'listening')
  const bound = udp.address().port
  const open = new Set<net.Socket>()
  const tcp = net.createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    serveTcp(socket, (wire) => respond(wire, 'tcp'))
  })
  try {
    tcp.listen(bound, address)
    await once(tcp, 'listening')
  } catch (error) {
    udp.close()
    throw error
  }
  return {
    port: bound,
    counts,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await Promise.all([once(udp.close(), 'close'), once(tcp.close(), 'close')])
    },
  }
}

/** Two bytes of length before each message (RFC 1035 4.2.2); several may follow each other (RFC 7766). */
function serveTcp(socket: net.Socket, respond: (wire: Buffer) => Buffer | null): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      const said = respond(pending.subarray(2, end))
      pending = pending.subarray(end)
      if (said === null) continue
      const length = Buffer.alloc(2)
      length.writeUInt16BE(said.length)
      socket.write(Buffer.concat([length, said]))
    }
  })
}
