import type { Socket } from 'node:net'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { InvariantBroken } from '../../runtime/errors.ts'

/**
 * The members of nodemailer's SMTPConnection that its types do not promise, and all that we touch of them. nodemailer is pinned exactly;
 * handover.test.ts fails when a new version moves one of them.
 */
export interface Inside {
  _socket: Socket | false | null
  /** replies not yet given to anybody, each a binary string with LF between lines; and the unfinished line */
  _responseQueue: string[]
  _remainder: string
  _responseActions: unknown[]
  _destroyed: boolean
  _closing: boolean
  _clearPhase(): void
  readonly _onSocketData: (chunk: Buffer) => void
  readonly _onSocketError: (error: Error) => void
  readonly _onSocketClose: () => void
  readonly _onSocketEnd: () => void
  readonly _onSocketTimeout: () => void
  readonly _onConnectionSocketError: (error: Error) => void
}

export function insideOf(connection: SMTPConnection): Inside {
  return connection as unknown as Inside
}

/**
 * Takes the open socket (after STARTTLS: the TLS one) out of nodemailer's hands, with the bytes it read and gave to nobody: a 421 right behind
 * the EHLO reply would be lost otherwise. The caller puts its own listeners on in the same tick; until then `guard` hears errors, so that none
 * is ever without a listener. From here on the connection object is dead and holds nothing.
 */
export function takeOver(connection: SMTPConnection, guard: (error: Error) => void): { readonly socket: Socket; readonly unread: Buffer } {
  const inside = insideOf(connection)
  const socket = inside._socket
  if (!socket) throw new InvariantBroken('hand-over', 'nodemailer has no socket to hand over')
  socket.on('error', guard)
  socket.removeListener('data', inside._onSocketData)
  socket.removeListener('error', inside._onSocketError)
  socket.removeListener('error', inside._onConnectionSocketError)
  socket.removeListener('close', inside._onSocketClose)
  socket.removeListener('end', inside._onSocketEnd)
  socket.removeListener('timeout', inside._onSocketTimeout)
  socket.setTimeout(0) // its 10 minutes would fire with nobody listening

  const unread = inside._responseQueue.map((reply) => `${reply.replaceAll('\n', '\r\n')}\r\n`).join('') + inside._remainder
  inside._clearPhase()
  inside._responseQueue = []
  inside._remainder = ''
  inside._responseActions = []
  // NOTE It still runs one more turn of its reply loop after our callback. Dead, it reads nothing and closes nothing.
  inside._destroyed = true
  inside._closing = true
  inside._socket = false
  return { socket, unread: Buffer.from(unread, 'latin1') }
}
