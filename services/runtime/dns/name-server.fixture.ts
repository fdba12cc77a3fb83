import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import packet from 'dns-packet'
import type { Answer, Question } from 'dns-packet'

/** What the test's name server says to one question over UDP or TCP; `silence` sends nothing. */
export interface Said {
  readonly rcode?: number
  readonly answers?: readonly Answer[]
  readonly authorities?: readonly Answer[]
  readonly truncated?: boolean
  readonly ad?: boolean
}
export interface Asked extends Question {
  readonly over: 'udp' | 'tcp'
  /** how often this name and type was asked before, over either */
  readonly before: number
  readonly id: number
  readonly edns: boolean
}
export type Script = (asked: Asked, raw: { readonly send: (bytes: Buffer) => void; readonly peer: RemoteInfo | null }) => Said | 'silence'

export interface NameServer extends AsyncDisposable {
  readonly at: string
  readonly port: number
  readonly asked: readonly Asked[]
}

export const SOA = (minimum: number, ttl = 3_600): Answer => ({
  type: 'SOA',
  name: 'example',
  ttl,
  data: { mname: 'ns.example', rname: 'root.example', minimum },
})
export const a = (name: string, data: string, ttl = 300): Answer => ({ type: 'A', name, ttl, data })
export const aaaa = (name: string, data: string, ttl = 300): Answer => ({ type: 'AAAA', name, ttl, data })
export const mx = (name: string, preference: number, exchange: string, ttl = 300): Answer => ({ type: 'MX', name, ttl, data: { preference, exchange } })
export const cname = (name: string, data: string, ttl = 300): Answer => ({ type: 'CNAME', name, ttl, data })

/** A name server on loopback, UDP and TCP on one port, that says what the script says. */
export async function startNameServer(script: Script): Promise<NameServer> {
  const asked: Asked[] = []
  const { udp, tcp, port } = await listen()

  function answer(bytes: Buffer, over: 'udp' | 'tcp', send: (bytes: Buffer) => void, peer: RemoteInfo | null): void {
    const query = packet.decode(bytes)
    const question = query.questions?.[0] as Question
    const before = asked.filter((earlier) => earlier.name === question.name && earlier.type === question.type).length
    const now: Asked = { ...question, over, before, id: query.id ?? 0, edns: (query.additionals ?? []).length > 0 }
    asked.push(now)
    const said = script(now, { send, peer })
    if (said !== 'silence') send(encodeReply(now, said))
  }

  udp.on('message', (bytes, peer) => answer(bytes, 'udp', (reply) => udp.send(reply, peer.port, peer.address), peer))
  tcp.on('connection', (socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) =>
      answer(bytes.subarray(2), 'tcp', (reply) => socket.end(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply])), null),
    )
  })
  return {
    at: `127.0.0.1:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      udp.close()
      tcp.close()
    },
  }
}

export function encodeReply(asked: { readonly id: number; readonly name: string; readonly type: Question['type'] }, said: Said): Buffer {
  const flags =
    packet.RECURSION_DESIRED |
    packet.RECURSION_AVAILABLE |
    (said.truncated ? packet.TRUNCATED_RESPONSE : 0) |
    (said.ad ? packet.AUTHENTIC_DATA : 0) |
    (said.rcode ?? 0)
  const question = { name: asked.name, type: asked.type, class: 'IN' as const }
  return packet.encode({
    type: 'response',
    id: asked.id,
    flags,
    questions: [question],
    answers: [...(said.answers ?? [])],
    authorities: [...(said.authorities ?? [])],
  })
}

/** The kernel chooses a UDP port; the TCP side takes the same, or both try again. */
async function listen(): Promise<{ udp: Socket; tcp: Server; port: number }> {
  for (;;) {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const { port } = udp.address()
    const tcp = createServer()
    tcp.listen(port, '127.0.0.1')
    const listening = await once(tcp, 'listening').then(
      () => true,
      () => false,
    )
    if (listening) return { udp, tcp, port }
    udp.close()
  }
}
