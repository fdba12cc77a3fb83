import { once } from 'node:events'
import { connect } from 'node:net'
import { TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { expect, test } from 'vitest'
import { insideOf, takeOver } from './handover.ts'
import { serve, startPeer } from './testing/peer.ts'

/** The contract with nodemailer's private members. When a new version breaks it, this is the file that says so. */

const EVENTS = ['data', 'error', 'close', 'end', 'timeout'] as const

async function openedBy(port: number, address: string, tls: boolean): Promise<SMTPConnection> {
  const socket = connect(port, address)
  await once(socket, 'connect')
  const connection = new SMTPConnection({ connection: socket, host: 'mx.peer.example', requireTLS: tls, ignoreTLS: !tls, tls: { rejectUnauthorized: false } })
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error === undefined ? resolve() : reject(error))))
  return connection
}

test('the members that the hand-over touches are there, and of the kind it takes them for', async () => {
  await using peer = await startPeer((talk) => serve(talk, []))
  const connection = await openedBy(peer.port, peer.address, false)
  const inside = insideOf(connection)
  expect(inside._responseQueue).toEqual([])
  expect(inside._remainder).toBe('')
  expect(inside._responseActions).toEqual([])
  expect([inside._destroyed, inside._closing]).toEqual([false, false])
  expect(inside._clearPhase).toBeTypeOf('function')
  for (const member of ['_onSocketData', '_onSocketError', '_onSocketClose', '_onSocketEnd', '_onSocketTimeout', '_onConnectionSocketError'] as const) {
    expect(inside[member], member).toBeTypeOf('function')
  }
  connection.close()
})

test.each([
  ['plain', false],
  ['after STARTTLS', true],
])('%s: the socket comes out alone, and the connection it came from is dead', async (_, tls) => {
  await using peer = await startPeer((talk) => serve(talk, tls ? ['STARTTLS'] : []))
  const connection = await openedBy(peer.port, peer.address, tls)
  const before = insideOf(connection)._socket
  const own = before ? Object.fromEntries(EVENTS.map((event) => [event, before.listenerCount(event)])) : {}
  const guard = () => {}
  const { socket, unread } = takeOver(connection, guard)
  expect(socket instanceof TLSSocket).toBe(tls)
  expect(unread).toHaveLength(0)
  // one listener of nodemailer's is gone from each event; the guard took the place of one
  for (const event of EVENTS) expect(socket.listenerCount(event), event).toBe((own[event] ?? 0) - (event === 'error' ? 0 : 1))
  expect(socket.listeners('error')).toContain(guard)
  expect(socket.timeout ?? 0).toBe(0)

  connection.close()
  connection.quit()
  socket.write('NOOP\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toBe('250 2.0.0 ok\r\n')
  expect(peer.heard).not.toContain('QUIT')
  socket.destroy()
  await once(socket, 'close')
})

test('bytes behind the EHLO reply come out with the socket, in their order and unread', async () => {
  await using peer = await startPeer((talk) =>
    serve(talk, [], (command) => (command.startsWith('EHLO') ? '250-mx\r\n250 HELP\r\n421-4.3.2 going\r\n421 4.3.2 down\r\n42' : undefined)),
  )
  const socket = connect(peer.port, peer.address)
  await once(socket, 'connect')
  const connection = new SMTPConnection({ connection: socket, host: 'mx.peer.example', ignoreTLS: true })
  const unread = await new Promise<Buffer>((resolve) => connection.connect(() => resolve(takeOver(connection, () => {}).unread)))
  expect(unread.toString()).toMatch(/^421-4\.3\.2 going\r\n421 4\.3\.2 down\r\n42/)
  socket.destroy()
})
