import { createHash, sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { EpochMs } from '../../protocol/words.ts'
import type { DkimKey } from './dkim-keys.ts'

/**
 * DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, `t=` always, never `l=` (a body may be appended to) and no `x=`.
 * Our own signer, because nodemailer's lets a mail go unsigned when its key is bad and knows no Ed25519.
 */

/** Signed where present, in this order. */
const SIGNED = [
  ...['From', 'To', 'Cc', 'Reply-To', 'Sender', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'],
  ...['In-Reply-To', 'References', 'List-Id', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Help', 'Feedback-ID', 'CFBL-Address'],
  ...['Auto-Submitted', 'Precedence', 'BIMI-Selector'],
]
/** Named once more than present, so that nobody can add another (RFC 6376 8.15). */
const OVERSIGNED: ReadonlySet<string> = new Set(
  ['From', 'To', 'Cc', 'Reply-To', 'Sender', 'Subject', 'Date', 'Message-ID', 'Content-Type', 'MIME-Version'].map((name) => name.toLowerCase()),
)

/** `crypto.sign` with a callback runs in libuv's pool: an RSA signature is 0.3 ms that the sessions' thread does not pay. */
const signInPool = promisify(sign) as (algorithm: string | null, data: Uint8Array, key: KeyObject) => Promise<Buffer>

export interface ToSign {
  /** header fields as sent, folded, without their last CRLF, top to bottom */
  readonly fields: readonly string[]
  /** the body as sent, before dots are stuffed; empty or ending in CRLF */
  readonly body: Uint8Array
  /** the time of signing; the mail's Date, so that a retry carries the same signature */
  readonly at: EpochMs
}

/**
 * The DKIM-Signature fields for `keys`, in the order of `keys` (the first stands topmost), folded, without their last CRLF.
 * @throws what node:crypto throws; a loaded key gives it no reason to
 */
export async function signDkim({ fields, body, at }: ToSign, keys: readonly DkimKey[]): Promise<string[]> {
  if (keys.length === 0) return []
  const bodyHash = createHash('sha256').update(relaxedBody(body)).digest('base64')
  const chosen = chooseFields(fields)
  const signedFields = chosen.fields.map((field) => `${relaxedField(field)}\r\n`).join('')
  return Promise.all(
    keys.map(async (key) => {
      const unsigned = signatureField({ key, names: chosen.names, bodyHash, at })
      const data = Buffer.from(signedFields + relaxedField(unsigned))
      return `${unsigned}${fold(await signature(key, data), 1)}`
    }),
  )
}

async function signature({ algorithm, privateKey }: DkimKey, data: Uint8Array): Promise<string> {
  // RFC 8463 3: Ed25519 signs the SHA-256 of the data, not the data
  const signed =
    algorithm === 'rsa-sha256' ? await signInPool('sha256', data, privateKey) : await signInPool(null, createHash('sha256').update(data).digest(), privateKey)
  return signed.toString('base64')
}

/** `h=` and the fields it stands for. Of several fields with one name the lowest is named first (RFC 6376 5.4.2). */
function chooseFields(fields: readonly string[]): { names: string[]; fields: string[] } {
  const byName = new Map<string, string[]>()
  for (const field of fields) {
    const name = field.slice(0, field.indexOf(':')).trim().toLowerCase()
    byName.set(name, [field, ...(byName.get(name) ?? [])])
  }
  const names: string[] = []
  const chosen: string[] = []
  for (const name of SIGNED) {
    const present = byName.get(name.toLowerCase()) ?? []
    for (const field of present) {
      names.push(name)
      chosen.push(field)
    }
    if (OVERSIGNED.has(name.toLowerCase())) names.push(name)
  }
  return { names, fields: chosen }
}

function signatureField({ key, names, bodyHash, at }: { key: DkimKey; names: readonly string[]; bodyHash: string; at: EpochMs }): string {
  return [
    `DKIM-Signature: v=1; a=${key.algorithm}; c=relaxed/relaxed; d=${key.domain};`,
    ` s=${key.selector}; t=${Math.floor(at / 1_000)};`,
    ` h=${foldNames(names)};`,
    ` bh=${bodyHash};`,
    ' b=',
  ].join('\r\n')
}

function foldNames(names: readonly string[]): string {
  let lines = ''
  let line = ''
  for (const name of names) {
    if (line.length + name.length > 70) {
      lines += `${line}\r\n `
      line = ''
    }
    line += `${name}:`
  }
  return (lines + line).slice(0, -1)
}

/** Base 64 in lines of 72, the first one short by `taken`. */
function fold(base64: string, taken: number): string {
  const first = 72 - taken
  return base64.slice(0, first) + base64.slice(first).replace(/.{1,72}/g, '\r\n $&')
}

/** RFC 6376 3.4.2, without the CRLF. */
export function relaxedField(field: string): string {
  const colon = field.indexOf(':')
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`
}

/** RFC 6376 3.4.4. What needs no change, as the base 64 of attachments, is not copied. */
export function relaxedBody(body: Uint8Array): Uint8Array {
  let bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.includes('\t') || bytes.includes('  ') || bytes.includes(' \r\n')) {
    const text = bytes
      .toString('latin1')
      .replace(/[ \t]+/g, ' ')
      .replace(/ \r\n/g, '\r\n')
    bytes = Buffer.from(text, 'latin1')
  }
  let end = bytes.length
  while (end >= 4 && bytes.toString('latin1', end - 4, end) === '\r\n\r\n') end -= 2
  if (end === 2 && bytes[0] === 13) end = 0 // nothing but empty lines
  return bytes.subarray(0, end)
}
