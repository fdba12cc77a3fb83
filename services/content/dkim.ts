import { createHash, hash } from 'node:crypto'
import type { EpochMs } from '../../protocol/words.ts'
import type { DkimKey } from './dkim-keys.ts'
import { type Signer, signInPool } from './signer.ts'

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

/** A header field with what its signatures need: made when first asked for, kept where the field is the same for all recipients. */
export class Field {
  /** as sent, folded, without its last CRLF */
  readonly text: string
  #relaxed: string | null = null
  #name: string | null = null

  constructor(text: string) {
    this.text = text
  }

  /** RFC 6376 3.4.2 */
  get relaxed(): string {
    this.#relaxed ??= relaxedField(this.text)
    return this.#relaxed
  }

  /** lower case */
  get name(): string {
    this.#name ??= this.relaxed.slice(0, this.relaxed.indexOf(':'))
    return this.#name
  }
}

export function fieldOf(text: string): Field {
  return new Field(text)
}

export interface ToSign {
  /** top to bottom */
  readonly fields: readonly Field[]
  /** base 64 of the body's SHA-256, from `hashBody` */
  readonly bodyHash: string
  /** the time of signing; the mail's Date, so that a retry carries the same signature */
  readonly at: EpochMs
}

/** @param canonical a body by RFC 6376 3.4.4, relaxed (`assemble.ts` makes it) */
export function hashBody(canonical: readonly Uint8Array[]): string {
  const [only] = canonical
  if (canonical.length === 1 && only) return hash('sha256', only, 'base64')
  const whole = createHash('sha256')
  for (const chunk of canonical) whole.update(chunk)
  return whole.digest('base64')
}

/**
 * The DKIM-Signature fields for `keys`, in the order of `keys` (the first stands topmost), folded, without their last CRLF.
 * Two signatures share one body hash.
 * @throws what `sign` throws
 */
export async function signDkim({ fields, bodyHash, at }: ToSign, keys: readonly DkimKey[], sign: Signer = signInPool): Promise<string[]> {
  if (keys.length === 0) return []
  const { names, order } = chooseFields(fields)
  let signedFields = ''
  for (const field of order) signedFields += `${fields[field]!.relaxed}\r\n`
  return Promise.all(
    keys.map(async (key) => {
      const unsigned = signatureField({ key, names, bodyHash, at })
      const data = Buffer.from(signedFields + unsigned.relaxed)
      return `${unsigned.text}${fold((await sign(key, data)).toString('base64'), 1)}`
    }),
  )
}

interface Chosen {
  /** the value of `h=`, folded and not */
  readonly names: { readonly folded: string; readonly relaxed: string }
  /** indices of the fields it stands for, in its order */
  readonly order: readonly number[]
}

/** Mails of a campaign have the same fields in the same order, so this is asked over and over. */
const chosen = new Map<string, Chosen>()
const CHOSEN_KEPT = 256

/** Of several fields with one name the lowest is named first (RFC 6376 5.4.2). */
function chooseFields(fields: readonly Field[]): Chosen {
  let key = ''
  for (const { name } of fields) key += `${name}:`
  const before = chosen.get(key)
  if (before) return before
  const names: string[] = []
  const order: number[] = []
  for (const signed of SIGNED) {
    const name = signed.toLowerCase()
    for (let at = fields.length - 1; at >= 0; at--) {
      if (fields[at]!.name !== name) continue
      names.push(signed)
      order.push(at)
    }
    if (OVERSIGNED.has(name)) names.push(signed)
  }
  const folded = foldNames(names)
  const choice = { names: { folded, relaxed: relaxedValue(folded) }, order }
  if (chosen.size >= CHOSEN_KEPT) chosen.clear()
  chosen.set(key, choice)
  return choice
}

/** The field without its signature, as sent and as hashed. */
function signatureField({ key, names, bodyHash, at }: { key: DkimKey; names: Chosen['names']; bodyHash: string; at: EpochMs }) {
  const { algorithm, domain, selector } = key
  const time = Math.floor(at / 1_000)
  return {
    text: `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain};\r\n s=${selector}; t=${time};\r\n h=${names.folded};\r\n bh=${bodyHash};\r\n b=`,
    relaxed: `dkim-signature:v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain}; s=${selector}; t=${time}; h=${names.relaxed}; bh=${bodyHash}; b=`,
  }
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
  let lines = base64.slice(0, 72 - taken)
  for (let at = 72 - taken; at < base64.length; at += 72) lines += `\r\n ${base64.slice(at, at + 72)}`
  return lines
}

/** RFC 6376 3.4.2, without the CRLF. */
export function relaxedField(field: string): string {
  const colon = field.indexOf(':')
  return `${field.slice(0, colon).trim().toLowerCase()}:${relaxedValue(field.slice(colon + 1))}`
}

function relaxedValue(value: string): string {
  const unfolded = value.includes('\r\n') ? value.replaceAll('\r\n', '') : value
  return (/[ \t]{2}|\t/.test(unfolded) ? unfolded.replace(/[ \t]+/g, ' ') : unfolded).trim()
}
