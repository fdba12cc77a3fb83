import type { Reply } from './types.ts'

/** RFC 5321 4.5.3.1.5 allows 512; banners and policy texts of real peers are longer. */
const MAX_LINE = 4_096
/** A peer that never ends its reply is cut off here. */
const MAX_REPLY = 65_536

const LF = 0x0a
const CR = 0x0d
const TAB = 0x09
const SPACE = 0x20
const DASH = 0x2d
const DOT = 0x2e
const EMPTY = Buffer.alloc(0)

/**
 * Reads replies (RFC 5321 4.2, enhanced codes RFC 3463) out of bytes as they come: `feed` a chunk, then call `next` until it is null.
 *
 * Lines of a multi-line reply are joined by one space, each without its code and without an enhanced code that repeats the first one.
 * Where the lines carry different codes the last line's counts, as Postfix reads them. Text that is no UTF-8 is read as Latin-1, byte by byte.
 * Bare LF ends a line too. After `fault` is set nothing more is read: who does not speak SMTP cannot be answered.
 */
export class ReplyParser {
  fault: string | null = null
  #bytes: Buffer = EMPTY
  /** start of the unread line, and how far it was searched for its end */
  #at = 0
  #searched = 0
  /** of the reply being read */
  #size = 0
  #lines = 0
  #enhanced: string | null = null
  #text = ''

  feed(chunk: Buffer): void {
    if (this.#at === this.#bytes.length) {
      this.#bytes = chunk
      this.#searched = 0
    } else {
      this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), chunk])
      this.#searched -= this.#at
    }
    this.#at = 0
  }

  next(): Reply | null {
    while (this.fault === null) {
      const lf = this.#bytes.indexOf(LF, this.#searched)
      if (lf < 0) {
        this.#searched = this.#bytes.length
        if (this.#bytes.length - this.#at > MAX_LINE) this.fault = `a reply line of more than ${MAX_LINE} bytes`
        return null
      }
      const start = this.#at
      this.#at = lf + 1
      this.#searched = lf + 1
      const end = lf > start && this.#bytes[lf - 1] === CR ? lf - 1 : lf
      const reply = this.#readLine(start, end)
      if (reply !== null) return reply
    }
    return null
  }

  /** The reply, when this line is its last. */
  #readLine(start: number, end: number): Reply | null {
    const bytes = this.#bytes
    const code = end - start < 3 ? 0 : codeAt(bytes, start)
    const separator = end - start === 3 ? SPACE : bytes[start + 3]
    if (code === 0 || (separator !== SPACE && separator !== DASH && separator !== TAB)) {
      this.fault = `not a reply: ${JSON.stringify(bytes.toString('latin1', start, Math.min(end, start + 80)))}`
      return null
    }
    this.#size += end - start
    if (end - start > MAX_LINE) this.fault = `a reply line of more than ${MAX_LINE} bytes`
    else if (this.#size > MAX_REPLY) this.fault = `a reply of more than ${MAX_REPLY} bytes`
    if (this.fault !== null) return null

    let from = Math.min(start + 4, end)
    const length = enhancedLength(bytes, from, end)
    if (length > 0) {
      const enhanced = bytes.toString('latin1', from, from + length)
      this.#enhanced ??= enhanced
      if (enhanced === this.#enhanced) {
        from += length
        if (from < end) from += 1
      }
    }
    const text = textOf(bytes, from, end)
    this.#text = this.#lines === 0 || this.#text === '' ? text : text === '' ? this.#text : `${this.#text} ${text}`
    this.#lines += 1
    if (separator === DASH) return null

    const reply: Reply = { code, enhanced: this.#enhanced, text: this.#text }
    this.#size = 0
    this.#lines = 0
    this.#enhanced = null
    this.#text = ''
    return reply
  }
}

/** Reads one reply out of nodemailer's form of it: lines joined by LF, decoded. Null when it is none. */
export function parseReply(lines: string): Reply | null {
  const parser = new ReplyParser()
  parser.feed(Buffer.from(`${lines}\r\n`, 'utf8'))
  return parser.next()
}

/** 200…599, or 0. */
function codeAt(bytes: Buffer, at: number): number {
  const hundreds = bytes[at]! - 0x30
  const tens = bytes[at + 1]! - 0x30
  const ones = bytes[at + 2]! - 0x30
  if (hundreds < 2 || hundreds > 5 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return 0
  return hundreds * 100 + tens * 10 + ones
}

/** Length of `class.subject.detail` at `at`, followed by a space or the end of the line; 0 when none stands there. */
function enhancedLength(bytes: Buffer, at: number, end: number): number {
  const kind = at < end ? bytes[at]! - 0x30 : 0
  if ((kind !== 2 && kind !== 4 && kind !== 5) || bytes[at + 1] !== DOT) return 0
  const subject = digits(bytes, at + 2, end)
  if (subject === 0 || bytes[at + 2 + subject] !== DOT) return 0
  const detail = digits(bytes, at + 3 + subject, end)
  const after = at + 3 + subject + detail
  if (detail === 0 || (after < end && bytes[after] !== SPACE)) return 0
  return after - at
}

/** How many digits stand at `at`, at most three (RFC 3463 2). */
function digits(bytes: Buffer, at: number, end: number): number {
  let count = 0
  while (count < 3 && at + count < end && bytes[at + count]! >= 0x30 && bytes[at + count]! <= 0x39) count += 1
  return count
}

function textOf(bytes: Buffer, from: number, end: number): string {
  const text = bytes.toString('utf8', from, end)
  return text.includes('\uFFFD') ? bytes.toString('latin1', from, end) : text
}
