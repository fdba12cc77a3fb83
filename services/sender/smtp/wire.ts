import type { Socket } from 'node:net'
import { Deadline } from './deadline.ts'
import { ReplyParser } from './reply-parser.ts'
import type { Timeouts } from './timeouts.ts'
import type { Fault, Mail, Reply } from './types.ts'

/**
 * A body of at most one block goes out with what follows it in one write. A longer one is written block by block, so that no whole mail of many megabytes
 * lies in the socket's buffer and each block has its own time-out; its dot waits until the kernel has the body.
 */
const BLOCK_BYTES = 131_072

export interface Body {
  readonly chunks: readonly Uint8Array[]
  /** so many octets of memory behind the last chunk are free to be written: what follows the body, so that both are one buffer */
  readonly spare: number
  /** called once the kernel has all of it and nothing reads the chunks any more; not for a body that the end of the socket cut off */
  readonly taken: (() => void) | undefined
}

export function bodyOf({ body, spare = 0, release }: Mail): Body {
  return { chunks: body instanceof Uint8Array ? [body] : body, spare, taken: release }
}

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
  #rest: { readonly blocks: Iterator<Uint8Array>; readonly tail: string; readonly taken: Body['taken']; readonly written: () => void } | null = null

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
  writeBody(body: Body, tail: string, written: () => void): void {
    let size = 0
    for (const chunk of body.chunks) size += chunk.length
    if (size > BLOCK_BYTES) {
      this.#rest = { blocks: blocksOf(body.chunks), tail, taken: body.taken, written }
      this.#pump()
      return
    }
    const whole = asOne(body, tail)
    if (whole === null) {
      this.#socket.cork()
      for (const chunk of body.chunks) this.#socket.write(chunk)
      this.#socket.write(tail, unlessCut(body.taken))
      this.#socket.uncork()
    } else {
      this.#socket.write(whole, unlessCut(body.taken))
    }
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
        this.#socket.write(rest.tail, unlessCut(rest.taken))
        rest.written()
      } else {
        this.#socket.write(block.value)
        if (!this.flushed) return
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

/** Body and tail in one buffer; null where the memory for it is not there. */
function asOne({ chunks, spare }: Body, tail: string): Buffer | null {
  const [only] = chunks
  if (only === undefined || chunks.length > 1 || Buffer.byteLength(tail) > spare) return null
  const whole = Buffer.from(only.buffer, only.byteOffset, only.length + spare)
  return whole.subarray(0, only.length + whole.write(tail, only.length))
}

const unlessCut = (taken: Body['taken']) =>
  taken &&
  ((error?: Error | null): void => {
    if (!error) taken()
  })

function* blocksOf(chunks: readonly Uint8Array[]): Generator<Uint8Array, void> {
  for (const chunk of chunks) for (let at = 0; at < chunk.length; at += BLOCK_BYTES) yield chunk.subarray(at, at + BLOCK_BYTES)
}
