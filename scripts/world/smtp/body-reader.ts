/** Finds the end of a mail body in a stream of chunks without looking at its lines, and its Message-ID on the way.
 *  Only CRLF.CRLF ends a body (RFC 5321 4.1.1.4); a lone LF never does. */

const END = Buffer.from('\r\n.\r\n')
const CR = 13
/** Headers longer than this are not searched; the longest that Hato writes are a tenth of it. */
const HEAD_MAX = 65_536

export class BodyReader {
  /** bytes so far, the dot line included */
  sizeBytes = 0
  messageId = ''
  /** how much of CRLF.CRLF the last bytes were; a body starts as if a CRLF stood before it */
  #matched = 2
  #head: Buffer | null = null
  #headDone = false
  readonly #kept: Buffer[] | null

  constructor(keeps: 'nothing' | 'body') {
    this.#kept = keeps === 'body' ? [] : null
  }

  /** The offset behind the dot line, or -1 if all of `chunk` from `start` on is body. */
  feed(chunk: Buffer, start: number): number {
    const end = this.#findEnd(chunk, start)
    const piece = chunk.subarray(start, end === -1 ? chunk.length : end)
    this.sizeBytes += piece.length
    this.#kept?.push(Buffer.from(piece))
    if (!this.#headDone) this.#readHead(piece, end !== -1)
    return end
  }

  /** The body as sent, without the dot line; doubled dots are undone. Undefined unless it was kept. */
  body(): Buffer | undefined {
    if (this.#kept === null) return undefined
    const stuffed = Buffer.concat(this.#kept).subarray(0, -3)
    if (stuffed[0] !== 46 && !stuffed.includes('\r\n.')) return stuffed
    return Buffer.from(stuffed.toString('latin1').replace(/(^|\r\n)\./g, '$1'), 'latin1')
  }

  #findEnd(chunk: Buffer, start: number): number {
    let at = start
    while (this.#matched > 0 && at < chunk.length) {
      const byte = chunk[at]
      at += 1
      this.#matched = byte === END[this.#matched] ? this.#matched + 1 : byte === CR ? 1 : 0
      if (this.#matched === END.length) return at
    }
    if (at === chunk.length) return -1
    const found = chunk.indexOf(END, at)
    if (found !== -1) return found + END.length
    for (let length = Math.min(END.length - 1, chunk.length - at); length > 0; length -= 1) {
      if (chunk.subarray(chunk.length - length).equals(END.subarray(0, length))) {
        this.#matched = length
        return -1
      }
    }
    return -1
  }

  #readHead(piece: Buffer, complete: boolean): void {
    this.#head = this.#head === null ? piece : Buffer.concat([this.#head, piece])
    const blank = this.#head.indexOf('\r\n\r\n')
    if (blank === -1 && !complete && this.#head.length < HEAD_MAX) return
    this.messageId = messageIdOf(blank === -1 ? this.#head : this.#head.subarray(0, blank + 2))
    this.#head = null
    this.#headDone = true
  }
}

/** The Message-ID with its brackets, '' where there is none. The two usual spellings are found without a regular expression. */
export function messageIdOf(head: Buffer): string {
  for (const spelling of ['\nMessage-ID: <', '\nMessage-Id: <']) {
    const at = head.indexOf(spelling)
    const close = at === -1 ? -1 : head.indexOf('>', at)
    // cut out of the buffer, not out of a longer string, which V8 would keep alive
    if (close !== -1) return head.toString('latin1', at + spelling.length - 1, close + 1)
  }
  const found = /^message-id:\s*(\S+)/im.exec(head.toString('latin1', 0, head.length))
  return found?.[1] === undefined ? '' : Buffer.from(found[1], 'latin1').toString('latin1')
}
