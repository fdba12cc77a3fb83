import { encodeWord, foldLines, quoteString } from 'nodemailer/lib/mime-funcs'
import { formatAddress, parseAddress, type MailAddress } from '../../protocol/addresses.ts'
import type { Content } from '../../protocol/campaign.ts'
import type { EpochMs, Kind } from '../../protocol/words.ts'

/**
 * Header fields as they are sent: folded at 76, each without its last CRLF. nodemailer encodes the words (52 octets of the 75
 * that RFC 2047 2 allows, no character split) and folds; what it lets through and mail programs read differently is encoded here:
 * text that looks like an encoded word, runs of spaces, and words too long to fold (RFC 5322 2.1.1: no line over 998).
 */

const FOLD_AT = 76
const ENCODED_WORD_OCTETS = 52
const NEEDS_ENCODING = /[^\x20-\x7e]|^ | $| {2}|=\?|[^ ]{900}/

/** Free text, such as Subject (RFC 5322 2.2.1). Controls, CR and LF among them, become one space: no variable can end a field. */
export function textField(name: string, value: string): string {
  return foldLines(`${name}: ${encodeText(oneLine(value))}`, FOLD_AT)
}

/** A mailbox field, such as From. A local part beyond ASCII stands as it is and makes the mail SMTPUTF8 (RFC 6532). */
export function mailboxField(name: string, address: MailAddress, phrase: string | undefined): string {
  return foldLines(`${name}: ${mailbox(address, phrase)}`, FOLD_AT)
}

function mailbox(address: MailAddress, phrase: string | undefined): string {
  const name = oneLine(phrase ?? '')
  const spelled = formatAddress(address)
  return name === '' ? spelled : `${encodePhrase(name)} <${spelled}>`
}

/** Controls and line separators as one space, and no space at the ends. Lone surrogates become U+FFFD, which is what UTF-8 would do. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
}

function encodeText(text: string): string {
  return NEEDS_ENCODING.test(text) ? encodeWord(text, encodingOf(text), ENCODED_WORD_OCTETS) : text
}

/** A display name: bare, quoted or encoded (RFC 5322 3.2.5, RFC 2047 5). */
function encodePhrase(name: string): string {
  if (NEEDS_ENCODING.test(name)) return encodeWord(name, encodingOf(name), ENCODED_WORD_OCTETS)
  return /^[A-Za-z0-9_ ]*$/.test(name) ? name : quoteString(name)
}

/** `Q` where most is readable as it is, else `B`: a Japanese character is 9 characters in Q and 4 in B. */
function encodingOf(text: string): 'Q' | 'B' {
  const readable = text.replace(/[^A-Za-z]/g, '').length
  return readable * 2 > text.length ? 'Q' : 'B'
}

/** RFC 5322 3.3, in UTC: the same on every sender. */
export function dateField(at: EpochMs): string {
  return `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`
}

export interface KindOfMail {
  readonly kind: Kind
  readonly tenant: string
  readonly campaign: string
  readonly list: Content['list'] | undefined
  /** From's domain in A-labels */
  readonly fromDomain: string
  /** the fleet file's `feedback_id`, or the tenant's name */
  readonly senderId: string
}

/** What a mail's kind writes (delivery.md §1, §10): the same for all recipients. Return-Path is the last receiver's to write, never ours. */
export function kindFields({ kind, tenant, campaign, list, fromDomain, senderId }: KindOfMail): string[] {
  const fields: string[] = []
  if (list) {
    const id = `<${list.id}.${fromDomain}>` // RFC 2919 2: a label in a domain of the list's owner
    const name = oneLine(list.name ?? '')
    fields.push(foldLines(`List-Id: ${name === '' ? id : `${encodePhrase(name)} ${id}`}`, FOLD_AT))
  }
  // Google's Postmaster Tools read it from the right: SenderId is what complaints are summed by.
  fields.push(`Feedback-ID: ${campaign}:${list?.id ?? kind}:${tenant}:${senderId}`)
  fields.push(kind === 'marketing' ? 'Precedence: bulk' : 'Auto-Submitted: auto-generated') // RFC 3834 5
  return fields
}

/**
 * Where complaints about this mail go (RFC 9477): to its return path, so that a report which withholds the recipient and leaves out the envelope
 * still names whom it is about. A receipt is not complained of (delivery.md §1).
 */
export function complaintField(returnPath: string): string {
  return `CFBL-Address: ${returnPath};\r\n report=arf`
}

export interface Unsubscribe {
  readonly url: string | null
  readonly mailto: string | null
}

/**
 * List-Unsubscribe with at most one https URI, a mailto beside it, and the promise that the URI takes a POST (RFC 8058 3.1).
 * NOTE: not folded between the URIs' angle brackets: some readers keep the space.
 */
export function unsubscribeFields({ url, mailto }: Unsubscribe): string[] {
  const uris = [url, mailto === null ? null : `mailto:${mailto}`].filter((uri) => uri !== null)
  if (uris.length === 0) return []
  const fields = [`List-Unsubscribe: ${uris.map((uri) => `<${uri}>`).join(',\r\n ')}`]
  if (url !== null) fields.push('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  return fields
}

const URI_OCTETS = 900 // with the field's name and brackets still under the 998 of RFC 5322 2.1.1

/** What the rendered templates say, fit for the field, or why they do not. An empty mailto is none. */
export function readUnsubscribe(url: string | undefined, mailto: string | undefined): Unsubscribe | { readonly path: string; readonly problem: string } {
  const readUrl = url === undefined ? { url: null } : readUnsubscribeUrl(url.trim())
  if ('problem' in readUrl) return { path: 'unsubscribe.url', problem: readUrl.problem }
  const address = mailto?.trim().replace(/^mailto:/i, '')
  if (!address) return { url: readUrl.url, mailto: null }
  const [before = ''] = address.split('?')
  if (!/^[!-~]+$/.test(address) || /[<>,]/.test(address) || !parseAddress(before) || address.length > URI_OCTETS) {
    return { path: 'unsubscribe.mailto', problem: `"${address}" is not an address in ASCII, alone or with ?subject=…` }
  }
  return { url: readUrl.url, mailto: address }
}

function readUnsubscribeUrl(text: string): { readonly url: string } | { readonly problem: string } {
  if (!URL.canParse(text) || /[\s<>\p{Cc}]/u.test(text)) return { problem: `"${text}" is not a URL` }
  const { protocol, href } = new URL(text)
  if (protocol !== 'https:') return { problem: `the unsubscribe URL must begin with https:// (RFC 8058), not ${protocol}` }
  if (href.length > URI_OCTETS) return { problem: `the unsubscribe URL has ${href.length} characters, at most ${URI_OCTETS} fit a line` }
  return { url: /^[!-~]+$/.test(text) ? text : href }
}
