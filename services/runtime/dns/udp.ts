import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { DnsServer } from './servers.ts'
import { answersTo, decodeReply, encodeQuery } from './wire.ts'
import type { Question, Reply } from './wire.ts'

export interface UdpListener {
  reply(reply: Reply): void
  /** the kernel says that nobody listens there (ICMP), or gave us no socket */
  unreachable(because: string): void
}

/** A few sockets towards one server, many questions in flight on each. */
export interface UdpChannel {
  /** Sends once. The returned function forgets the question; until then a reply is heard however late it is. */
  ask(question: Question, edns: 'with' | 'without', listener: UdpListener): () => void
  close(): void
}

/** Two ports make guessing harder and halve what a full receive buffer loses. */
const SOCKETS = 2
/** A port is used for so many questions, then another random one: a port that stays can be found out and spoofed (RFC 5452 9.2). */
const QUESTIONS_PER_SOCKET = 2_000

interface Line {
  readonly socket: Socket
  readonly inFlight: Map<number, { readonly question: Question; readonly listener: UdpListener }>
  /** packets that wait for the socket to be connected; null once it is */
  unsent: Buffer[] | null
  asked: number
  retired: boolean
}

export function openUdpChannel(server: DnsServer): UdpChannel {
  const lines = new Set<Line>()

  function openLine(): Line {
    const socket = createSocket(isIP(server.address) === 6 ? 'udp6' : 'udp4')
    const line: Line = { socket, inFlight: new Map(), unsent: [], asked: 0, retired: false }
    lines.add(line)
    // Connected: the kernel drops packets of any other source, and reports ICMP errors.
    socket.connect(server.port, server.address)
    socket.on('connect', () => {
      const unsent = line.unsent ?? []
      line.unsent = null
      for (const bytes of unsent) transmit(line, bytes)
    })
    socket.on('message', (bytes) => hear(line, bytes))
    socket.on('error', (error) => breakLine(line, error.message))
    socket.unref()
    return line
  }

  function transmit(line: Line, bytes: Buffer): void {
    line.socket.send(bytes, (error) => {
      if (error !== null) breakLine(line, error.message)
    })
  }

  function hear(line: Line, bytes: Buffer): void {
    const reply = decodeReply(bytes)
    if (reply === null) return
    const asked = line.inFlight.get(reply.id)
    if (asked === undefined || !answersTo(reply, asked.question)) return
    forget(line, reply.id)
    asked.listener.reply(reply)
  }

  function forget(line: Line, id: number): void {
    line.inFlight.delete(id)
    if (line.retired && line.inFlight.size === 0) closeLine(line)
  }

  function closeLine(line: Line): void {
    if (lines.delete(line)) line.socket.close()
  }

  function breakLine(line: Line, because: string): void {
    const asked = [...line.inFlight.values()]
    line.inFlight.clear()
    closeLine(line)
    for (const { listener } of asked) listener.unreachable(because)
  }

  function pickLine(): Line {
    const usable = [...lines].filter((line) => !line.retired)
    return usable.length < SOCKETS ? openLine() : (usable[randomInt(usable.length)] as Line)
  }

  return {
    ask(question, edns, listener) {
      const line = pickLine()
      const id = unusedId(line.inFlight)
      const bytes = encodeQuery(question, id, edns)
      line.inFlight.set(id, { question, listener })
      line.asked += 1
      if (line.asked >= QUESTIONS_PER_SOCKET) line.retired = true
      if (line.unsent === null) transmit(line, bytes)
      else line.unsent.push(bytes)
      return () => {
        if (line.inFlight.get(id)?.listener === listener) forget(line, id)
      }
    },
    close() {
      for (const line of [...lines]) closeLine(line)
    },
  }
}

function unusedId(inFlight: ReadonlyMap<number, unknown>): number {
  for (;;) {
    const id = randomInt(65_536)
    if (!inFlight.has(id)) return id
  }
}
