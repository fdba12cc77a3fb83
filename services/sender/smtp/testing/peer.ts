import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { TLSSocket, createSecureContext } from 'node:tls'
import { CERT, KEY } from './certificate.ts'

const ADDRESS = '127.0.2.2'

/** A peer's side of one connection. */
export interface Talk {
  /** writes as it stands, with CRLF at the end */
  say(text: string): void
  write(bytes: string | Buffer): void
  /** the next line without CRLF; null once we have closed */
  hear(): Promise<string | null>
  /** lines up to the lone dot, which is not among them; what came when the connection closed before it has `ended: false` */
  hearBody(): Promise<{ readonly lines: string[]; readonly ended: boolean }>
  /** server side of STARTTLS, with a certificate that nobody trusts */
  secure(): Promise<void>
  hangUp(): void
  reset(): void
  readonly socket: Socket
}

export interface Peer extends AsyncDisposable {
  readonly address: string
  readonly port: number
  /** every line that any connection heard, in order */
  readonly heard: string[]
  /** so far, and of these still open */
  connections: number
  readonly open: number
}

/** A server on a free port of 127.0.2.2 that plays `script` to each connection; its errors are rethrown at disposal. */
export async function startPeer(script: (talk: Talk) => Promise<void>): Promise<Peer> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const troubles: unknown[] = []
  const server = createServer({ noDelay: true }, (socket) => {
    peer.connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    script(talkOver(socket, heard)).catch((error: unknown) => {
      troubles.push(error)
      socket.destroy()
    })
  }).listen(0, ADDRESS)
  await once(server, 'listening')
  const peer: Peer = {
    address: ADDRESS,
    port: (server.address() as AddressInfo).port,
    heard,
    connections: 0,
    get open() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      if (troubles.length > 0) throw troubles[0]
    },
  }
  return peer
}

function talkOver(plain: Socket, heard: string[]): Talk {
  let socket = plain
  let text = ''
  let closed = false
  let wake = () => {}
  const listen = () => {
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      wake()
    })
    socket.on('error', () => {}) // the client under test resets now and then
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        closed = true
        wake()
      })
    }
  }
  listen()
  const talk: Talk = {
    get socket() {
      return socket
    },
    say: (line) => talk.write(`${line}\r\n`),
    write: (bytes) => {
      if (!socket.destroyed) socket.write(bytes)
    },
    async hear() {
      for (;;) {
        const end = text.indexOf('\r\n')
        if (end >= 0) {
          const line = text.slice(0, end)
          text = text.slice(end + 2)
          heard.push(line)
          return line
        }
        if (closed) return null
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    async hearBody() {
      const lines: string[] = []
      for (;;) {
        const line = await talk.hear()
        if (line === '.' || line === null) return { lines, ended: line !== null }
        lines.push(line)
      }
    },
    async secure() {
      plain.removeAllListeners('data')
      socket = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext({ key: KEY, cert: CERT }) })
      listen()
      await Promise.race([once(socket, 'secure'), once(plain, 'close')])
    },
    hangUp: () => void socket.end(),
    reset: () => void plain.resetAndDestroy(),
  }
  return talk
}

/** What a polite peer answers, by command; a rule may answer otherwise, hang up, or say nothing (`''`). */
export type Rule = (command: string, talk: Talk) => string | null | undefined | Promise<string | null | undefined>

/** Greeting, then one answer per command until QUIT or the end. `rule`: undefined = the polite answer, `''` = silence, null = hang up. */
export async function serve(talk: Talk, keywords: readonly string[], rule: Rule = () => undefined): Promise<void> {
  talk.say((await rule('CONNECT', talk)) ?? '220 mx.peer.example ESMTP')
  const ehlo = ['mx.peer.example greets you', ...keywords]
  for (let command = await talk.hear(); command !== null; command = await talk.hear()) {
    const special = await rule(command, talk)
    if (special === null) return talk.hangUp()
    if (special === '') continue
    const verb = command.slice(0, 4).toUpperCase()
    if (special === undefined && (verb === 'EHLO' || verb === 'LHLO')) {
      talk.say(ehlo.map((line, i) => `250${i === ehlo.length - 1 ? ' ' : '-'}${line}`).join('\r\n'))
      continue
    }
    const answer = special ?? POLITE[verb] ?? '500 5.5.2 what?'
    talk.say(answer)
    if (verb === 'QUIT') return talk.hangUp()
    if (verb === 'STAR' && answer.startsWith('220')) await talk.secure()
    if (verb === 'DATA' && answer.startsWith('354')) {
      const { lines, ended } = await talk.hearBody()
      if (!ended) return
      const dot = await rule(lines.length === 0 ? 'LONE DOT' : 'DOT', talk)
      if (dot === null) return talk.hangUp()
      if (dot !== '') talk.say(dot ?? (lines.length === 0 ? '554 5.5.1 no valid recipients' : '250 2.0.0 queued'))
    }
  }
}

const POLITE: Record<string, string> = {
  HELO: '250 mx.peer.example',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  RSET: '250 2.0.0 ok',
  NOOP: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
  STAR: '220 2.0.0 ready',
  AUTH: '235 2.7.0 welcome',
}
