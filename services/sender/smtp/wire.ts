import type { Socket } from 'node:net'
import { Deadline } from './deadline.ts'
import { ReplyParser } from './reply-parser.ts'
import type { Timeouts } from './timeouts.ts'
import type { Fault, Reply } from './types.ts'

/** Above this a body is written block by block, so that no whole mail lies in the socket's buffer and each block has its own time-out. */
const BLOCK_BYTES = 65_536

/** Whoever talks over the wire. After `destroy` or `sayLast` none of these is called any more; `broken` is called at most once. */
export interface Talker {
  hear(reply: Reply): void
  /** the peer closed ('closed'), or the network or its words failed ('fault') */
  broken(how: 'closed' | 'fault', fault: Fault): void
  expired(): void
}

/** A socket as the talker sees it: commands and bodies go in, replies come out, one deadline, one end. */
export class Wire {
  /** Resolves when the socket is closed and carries no listener of ours; never rejects. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #timeouts: Timeouts
  readonly #talker: Talker
  readonly #parser = new ReplyParser()
  readonly #deadline: Deadline
  #resolveClosed: () => void = () => {}
  #deaf = false
  /** the rest of a body that waits for the peer to take what was written */
  #rest: { readonly blocks: Iterator<Uint8Array>; readonly tail: string; readonly written: () => void } | null = null

  constructor(socket: Socket, timeouts: Timeouts, talker: Talker) {
    this.#socket = socket
    this.#timeouts = timeouts
    this.#talker = talker
    this.#deadline = new Deadline(timeouts.resolutionMs, this.#onExpired)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
    socket.on('end', this.#onEnd)
    socket.on('drain', this.#onDrain)
    socket.on('data', this.read)
  }

  /** Nothing that was written waits in this process: the kernel has it all. */
  get flushed(): boolean {
    return this.#socket.writableLength === 0
  }

  /** `expired` is called when this long nothing moved it. */
  waitAtMost(ms: number): void {
    this.#deadline.set(ms)
  }

  write(commands: string): void {
    this.#socket.write(commands)
  }

  /** Writes a body and `tail`; `written` is called once the tail is with the socket, for small bodies at once. */
  writeBody(chunks: readonly Uint8Array[], tail: string, written: () => void): void {
    let size = 0
    for (const chunk of chunks) size += chunk.length
    if (size > BLOCK_BYTES) {
      this.#rest = { blocks: blocksOf(chunks), tail, written }
      this.#pump()
      return
    }
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.write(tail)
    this.#socket.uncork()
    written()
  }

  /** A last word, to which nobody listens; the socket closes with the peer, or after `quitMs`. */
  sayLast(command: string): void {
    this.#deaf = true
    this.#rest = null
    this.#deadline.set(this.#timeouts.quitMs)
    this.#socket.end(command)
  }

  destroy(): void {
    this.#deaf = true
    this.#rest = null
    this.#deadline.dispose()
    this.#socket.destroy()
  }

  /** Bytes from the peer; also those that nodemailer's hand-over left unread. */
  readonly read = (chunk: Buffer): void => {
    if (this.#deaf) return
    this.#parser.feed(chunk)
    for (;;) {
      const reply = this.#parser.next()
      if (reply === null) break
      this.#talker.hear(reply)
      if (this.#deaf) return
    }
    if (this.#parser.fault !== null) this.#break('fault', { code: 'EPROTOCOL', message: this.#parser.fault })
  }

  #pump(): void {
    const rest = this.#rest
    while (rest !== null && this.#rest === rest) {
      this.#deadline.set(this.#timeouts.blockMs)
      const block = rest.blocks.next()
      if (block.done === true) {
        this.#rest = null
        this.#socket.write(rest.tail)
        rest.written()
      } else if (!this.#socket.write(block.value)) {
        return
      }
    }
  }

  #break(how: 'closed' | 'fault', fault: Fault): void {
    if (this.#deaf) return
    this.#deaf = true
    this.#talker.broken(how, fault)
  }

  readonly #onDrain = (): void => this.#pump()

  readonly #onExpired = (): void => {
    if (this.#deaf) this.#socket.destroy()
    else this.#talker.expired()
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => this.#break('fault', { code: error.code ?? 'ESOCKET', message: error.message })

  /** The peer's FIN. NOTE Not left to 'close': with allowHalfOpen false that waits until the peer takes all we have written, which may be never. */
  readonly #onEnd = (): void => {
    this.#break('closed', CLOSED)
    this.destroy()
  }

  readonly #onClose = (): void => {
    this.#break('closed', CLOSED)
    this.#deadline.dispose()
    this.#socket.removeListener('error', this.#onError)
    this.#socket.removeListener('close', this.#onClose)
    this.#socket.removeListener('end', this.#onEnd)
    this.#socket.removeListener('drain', this.#onDrain)
    this.#socket.removeListener('data', this.read)
    this.#resolveClosed()
  }
}

const CLOSED: Fault = { code: 'ECLOSED', message: 'the peer closed the connection' }

function* blocksOf(chunks: readonly Uint8Array[]): Generator<Uint8Array, void> {
  for (const chunk of chunks) for (let at = 0; at < chunk.length; at += BLOCK_BYTES) yield chunk.subarray(at, at + BLOCK_BYTES)
}
