/** The TCP front: sockets on one side, pure ISP models on the other. Nothing is decided here.
 *
 *  INVARIANT  a model hears `connect` first and `closed` last, once each, for every TCP connection.
 *  NOT HERE   what a reply says, what counts as an excess (models/), what is remembered of it (record.ts). */
import type net from 'node:net'
import tls from 'node:tls'
import type { Answer } from '../models/behaviour.ts'
import { receive, type Received } from '../models/conversation.ts'
import type { Arrived, SmtpEvent } from '../models/event.ts'
import type { Isp } from '../models/isp.ts'
import { BodyReader } from './body-reader.ts'
import { type Command, readCommand } from './command.ts'
import { FormCheck, type FormFault } from './form.ts'

export type Body = { readonly bytes: Buffer | undefined; readonly faults: ReadonlySet<FormFault> }

export type FrontOptions = {
  readonly now: () => number
  readonly dice: () => number
  readonly secureContextOf: (host: string) => tls.SecureContext
  readonly keepsBodies: () => 'nothing' | 'body'
  readonly checksForm: 'yes' | 'no'
  readonly onEvent: (isp: Isp, event: SmtpEvent, received: Received, body: Body | null) => void
}

/** A command line longer than this is cut off (RFC 5321 4.5.3.1.4 asks for 512; long paths and parameters need more). */
const LINE_MAX = 4096
const EMPTY = Buffer.alloc(0)
let lastSession = 0

function nextSession(): number {
  lastSession += 1
  return lastSession
}

/** Serves one accepted connection to `host` of `isp` until it ends. */
export function serve(socket: net.Socket, isp: Isp, host: string, options: FrontOptions): void {
  new Line(socket, isp, host, options).begin()
}

class Line {
  readonly #isp: Isp
  readonly #host: string
  readonly #options: FrontOptions
  readonly #session = nextSession()
  readonly #source: string
  #socket: net.Socket
  #pending: Buffer = EMPTY
  #body: BodyReader | null = null
  #form: FormCheck | null = null
  #cutsInBody = false
  /** waiting: a reply is being delayed · mute: the peer will never hear from us again · over: closing or closed */
  #mode: 'talking' | 'waiting' | 'mute' | 'over' = 'talking'
  #arrived: Arrived = 'alone'
  #waitsAfter: SmtpEvent['on'] = 'connect'
  #out = ''
  #timer: NodeJS.Timeout | null = null

  constructor(socket: net.Socket, isp: Isp, host: string, options: FrontOptions) {
    this.#socket = socket
    this.#isp = isp
    this.#host = host
    this.#options = options
    this.#source = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  }

  begin(): void {
    this.#socket.setNoDelay(true)
    this.#socket.once('close', () => this.#ended())
    this.#listen(this.#socket)
    this.#say({ on: 'connect', session: this.#session, source: this.#source, host: this.#host })
    this.#flush()
  }

  #listen(socket: net.Socket): void {
    socket.setTimeout(this.#isp.row.idleMs)
    socket.on('timeout', () => this.#idle())
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    socket.on('end', () => this.#ended())
    // a reset by the peer is how half of the scenarios end; `close` follows
    socket.on('error', () => this.#ended())
  }

  #hear(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    if (this.#mode === 'mute') this.#pending = EMPTY
    if (this.#mode === 'waiting' && this.#arrived === 'alone') this.#arrived = this.#waitsAfter === 'dot' ? 'behind-dot' : 'piped'
    if (this.#mode === 'talking') this.#pump()
  }

  /** Works off what lies in the buffer, in order, until it needs more bytes or a reply must wait. */
  #pump(): void {
    while (this.#mode === 'talking' && this.#pending.length > 0) {
      const goesOn = this.#body === null ? this.#readLine() : this.#readBody(this.#body)
      if (!goesOn) break
    }
    this.#flush()
  }

  #readLine(): boolean {
    const lf = this.#pending.indexOf(10)
    if (lf === -1) {
      if (this.#pending.length > LINE_MAX) this.#end('cut')
      return false
    }
    const line = this.#pending.subarray(0, lf > 0 && this.#pending[lf - 1] === 13 ? lf - 1 : lf)
    this.#pending = this.#pending.subarray(lf + 1)
    this.#say(this.#eventOf(readCommand(line)))
    // what lies here already came before our reply to this line
    if (this.#arrived === 'alone') this.#arrived = 'piped'
    if (this.#pending.length === 0) this.#arrived = 'alone'
    return true
  }

  #eventOf(command: Command): SmtpEvent {
    const session = this.#session
    switch (command.verb) {
      case 'mail':
        return {
          on: 'mail',
          session,
          from: command.from,
          sizeBytes: command.sizeBytes,
          ...(command.requiresTls && { requiresTls: true }),
          arrived: this.#arrived,
        }
      case 'rcpt':
        return { on: 'rcpt', session, to: command.to, arrived: this.#arrived }
      case 'data':
        return { on: 'data', session, arrived: this.#arrived }
      case 'helo':
      case 'ehlo':
        return { on: command.verb, session, name: command.name }
      default:
        return { on: command.verb, session }
    }
  }

  #readBody(body: BodyReader): boolean {
    if (this.#cutsInBody) {
      this.#end('cut')
      return false
    }
    const chunk = this.#pending
    const end = body.feed(chunk, 0)
    this.#form?.feed(end === -1 ? chunk : chunk.subarray(0, end))
    this.#pending = end === -1 ? EMPTY : chunk.subarray(end)
    if (end === -1) return false
    const kept: Body = { bytes: body.body(), faults: this.#form?.faults ?? NO_FAULTS }
    this.#body = null
    this.#form = null
    this.#arrived = this.#pending.length > 0 ? 'behind-dot' : 'alone'
    this.#say({ on: 'dot', session: this.#session, messageId: body.messageId, sizeBytes: body.sizeBytes - 3 }, kept)
    return true
  }

  #say(event: SmtpEvent, body: Body | null = null): void {
    const { now, dice, onEvent } = this.#options
    const received = receive(this.#isp, event, { now: now(), dice })
    onEvent(this.#isp, event, received, body)
    if (received.waitMs === 0) return this.#answer(received.answer)
    this.#waitsAfter = event.on
    this.#later(received.waitMs, received.answer)
  }

  #later(waitMs: number, answer: Answer): void {
    this.#mode = 'waiting'
    this.#flush()
    this.#timer = setTimeout(() => {
      this.#mode = 'talking'
      this.#answer(answer)
      this.#pump()
    }, waitMs)
  }

  #answer(answer: Answer): void {
    if (answer.reply !== null) this.#out += answer.reply.wire
    switch (answer.then) {
      case 'stay':
        if (answer.reply === null) this.#mode = 'mute'
        break
      case 'read-body':
      case 'cut-in-body':
        this.#body = new BodyReader(this.#options.keepsBodies())
        this.#form = this.#options.checksForm === 'yes' ? new FormCheck() : null
        this.#cutsInBody = answer.then === 'cut-in-body'
        break
      case 'start-tls':
        this.#startTls()
        break
      case 'break-tls':
        this.#out += 'this is no handshake\r\n'
        this.#end('close')
        break
      case 'close':
      case 'cut':
      case 'reset':
        this.#end(answer.then)
        break
    }
  }

  #startTls(): void {
    this.#flush()
    // whatever was sent behind STARTTLS in plain text is dropped (RFC 3207, command injection)
    this.#pending = EMPTY
    const plain = this.#socket
    for (const event of ['data', 'end', 'timeout', 'error']) plain.removeAllListeners(event)
    plain.setTimeout(0)
    plain.on('error', () => this.#ended())
    const secure = new tls.TLSSocket(plain, { isServer: true, secureContext: this.#options.secureContextOf(this.#host) })
    this.#socket = secure
    this.#listen(secure)
    secure.once('secure', () => this.#tell({ on: 'tls', session: this.#session }))
  }

  /** Says something to the model that has no answer on the wire. */
  #tell(event: SmtpEvent): Received {
    const { now, dice, onEvent } = this.#options
    const received = receive(this.#isp, event, { now: now(), dice })
    onEvent(this.#isp, event, received, null)
    return received
  }

  #idle(): void {
    if (this.#mode !== 'talking') return
    this.#answer(this.#tell({ on: 'idle', session: this.#session }).answer)
    this.#flush()
  }

  #flush(): void {
    if (this.#out === '') return
    this.#socket.write(this.#out, 'latin1')
    this.#out = ''
  }

  #end(how: 'close' | 'cut' | 'reset'): void {
    this.#mode = 'over'
    this.#pending = EMPTY
    if (how === 'close') {
      this.#flush()
      this.#socket.end()
    } else if (how === 'cut') {
      // replies given before the cut were said; only what comes after it is not
      this.#flush()
      this.#socket.destroySoon()
    } else {
      this.#out = ''
      this.#socket.resetAndDestroy()
    }
  }

  #over = false
  #ended(): void {
    if (this.#over) return
    this.#over = true
    this.#mode = 'over'
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#tell({ on: 'closed', session: this.#session })
    this.#socket.end()
  }
}

const NO_FAULTS: ReadonlySet<FormFault> = new Set()
