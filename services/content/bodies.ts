import { compile as compileHtmlToText } from 'html-to-text'
import { encode as encodeBase64, wrap as wrapBase64 } from 'nodemailer/lib/base64'
import { encode as encodeQuotedPrintable, wrap as wrapQuotedPrintable } from 'nodemailer/lib/qp'

/** Text bodies in a form that every hop carries unchanged: ASCII, CRLF, short lines (RFC 2045 6; RFC 5321 4.5.3.1.6). */

export type TransferEncoding = '7bit' | 'quoted-printable' | 'base64'

export interface EncodedText {
  readonly encoding: TransferEncoding
  /** ASCII, lines ended by CRLF, the last one not */
  readonly body: string
}

const LINE = 76
const SHORT_ASCII_LINES = new RegExp(`^(?:[\\t\\x20-\\x7e]{0,${LINE}}\\r\\n)*[\\t\\x20-\\x7e]{0,${LINE}}$`)
/** Mailbox files write `>From ` for it, which breaks signatures. */
const FROM_LINE = /^From /m

/** The shortest encoding that fits: as it is, else whichever of the two is smaller. Line ends become CRLF, NUL is dropped. */
export function encodeTextBody(text: string): EncodedText {
  const lines = text.replaceAll('\0', '').replace(/\r\n|\r|\n/g, '\r\n')
  const mbox = FROM_LINE.test(lines)
  if (!mbox && SHORT_ASCII_LINES.test(lines)) return { encoding: '7bit', body: lines.replace(/(?:\r\n)+$/, '') }
  const bytes = Buffer.from(lines)
  // Quoted-printable adds two octets to each octet beyond ASCII, base 64 a third to all.
  if (mbox || beyondAscii(bytes) * 6 > bytes.length) return { encoding: 'base64', body: encodeAttachment(bytes) }
  return { encoding: 'quoted-printable', body: wrapQuotedPrintable(encodeQuotedPrintable(bytes), LINE) }
}

function beyondAscii(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if (byte > 0x7f) count++
  return count
}

/** Base 64 in lines of 76, the last one without its CRLF. */
export function encodeAttachment(bytes: Uint8Array): string {
  return wrapBase64(encodeBase64(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)), LINE)
}

/** What `encodeAttachment` will make of `bytes` octets, in octets. */
export function encodedSize(bytes: number): number {
  const characters = Math.ceil(bytes / 3) * 4
  return characters + Math.ceil(characters / LINE) * 2
}

/** The text of an HTML mail for those who read text. Lines are not wrapped: Japanese has no spaces to wrap at. */
export const textFromHtml: (html: string) => string = compileHtmlToText({
  wordwrap: false,
  selectors: [
    { selector: 'img', format: 'skip' },
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['( ', ' )'] } },
  ],
})
