import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import type { DnsServer } from './servers.ts'
import { answersTo, decodeReply, encodeQuery } from './wire.ts'
import type { Question, Reply } from './wire.ts'

/**
 * One question over a connection of its own (RFC 7766), for replies that did not fit into UDP. Null when the server refuses, breaks off, says nothing within
 * `timeoutMs`, or answers something else; `signal` ends it early.
 */
export function askOverTcp(server: DnsServer, question: Question, edns: 'with' | 'without', timeoutMs: number, signal: AbortSignal): Promise<Reply | null> {
  return new Promise((resolve) => {
    const id = randomInt(65_536)
    const socket = connect({ host: server.address, port: server.port, signal })
    const timer = setTimeout(() => finish(null), timeoutMs)
    let received = Buffer.alloc(0)

    function finish(reply: Reply | null): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(reply)
    }

    socket.on('connect', () => socket.write(withLength(encodeQuery(question, id, edns))))
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const reply = decodeReply(received.subarray(2, 2 + received.readUInt16BE(0)))
      finish(reply !== null && reply.id === id && !reply.truncated && answersTo(reply, question) ? reply : null)
    })
    socket.on('error', () => finish(null))
    socket.on('close', () => finish(null))
  })
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
