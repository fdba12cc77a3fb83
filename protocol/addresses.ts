import { domainToASCII } from 'node:url'

/** A mail address taken apart. `local` without its quotes; `domain` lower case, in A-labels (RFC 5890). */
export interface MailAddress {
  readonly local: string
  readonly domain: string
}

const LOCAL_OCTETS = 64 // RFC 5321 4.5.3.1.1
const DOMAIN_OCTETS = 255 // RFC 5321 4.5.3.1.2
const ADDRESS_OCTETS = 254 // RFC 5321 4.5.3.1.3: a path is 256 with its angle brackets

const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-\\u0080-\\u{10ffff}]"
const DOT_ATOM = new RegExp(`^${ATEXT}+(?:\\.${ATEXT}+)*$`, 'u')
/** atext and dots in any place: `taro..y@docomo.ne.jp` and `abc.@ezweb.ne.jp` were issued until 2009 and are in use (delivery.md §5). */
const ASCII_ATEXT_AND_DOTS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/
const ATEXT_AND_DOTS = new RegExp(`^(?:${ATEXT}|\\.)+$`, 'u')
/** The inside of a quoted local part (RFC 5321 Quoted-string, RFC 6531 for what is not ASCII). */
const QUOTED = /^(?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\u{10ffff}]|\\[\x20-\x7e])*$/u
/** What cannot be meant in an address: spaces, controls, invisible format characters (ZWJ and ZWNJ excepted: scripts need them), private use, unassigned. */
const UNSPEAKABLE = /(?![\u200c\u200d])[\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u
const NOT_ASCII = /[^\0-\x7f]/
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** What nearly all addresses are: lower case, no sign that any rule below takes for another; of at most 64 octets, since then no part is too long. */
const USUAL = /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]+$/
const USUAL_OCTETS = 64
const DOMAIN_CHARACTERS = /^[A-Za-z0-9.\-\u0080-\u{10ffff}]+$/u

/**
 * Reads an address by RFC 5321 4.1.2, with three practical differences: dots may stand anywhere in an unquoted local part,
 * address literals (`[192.0.2.1]`) and names without a dot are refused, and the domain may be written in any IDNA form.
 * @returns null when it is not an address; `addressProblem` says why.
 */
export function parseAddress(address: string): MailAddress | null {
  const read = readAddress(address)
  return typeof read === 'string' ? null : read
}

/** Why `address` is not an address, in words for its author; null when it is one. */
export function addressProblem(address: string): string | null {
  if (isUsual(address)) return null
  const read = readAddress(address)
  if (typeof read !== 'string') return null
  const shown = address.length > 100 ? `${address.slice(0, 100)}…` : address
  return `${JSON.stringify(shown)} is not an address (RFC 5321 4.1.2): ${read}`
}

/** Runs over lists of a million lines, several times: one anchored regular expression. Such an address is its own normal form. */
function isUsual(address: string): boolean {
  return address.length <= USUAL_OCTETS && USUAL.test(address)
}

/** The address, or why it is none. */
function readAddress(address: string): MailAddress | string {
  if (address.length > 320) return `it is longer than ${ADDRESS_OCTETS} octets`
  const at = address.lastIndexOf('@')
  if (at < 0) return 'it has no @'
  if (at === 0) return 'nothing stands before the @'
  const written = address.slice(0, at)
  const local = readLocal(written)
  if (local.problem !== null) return local.problem
  const domain = readDomain(address.slice(at + 1))
  if (domain.problem !== null) return domain.problem
  if (octets(quoteLocal(local.is)) + 1 + domain.is.length > ADDRESS_OCTETS) return `it is longer than ${ADDRESS_OCTETS} octets`
  return { local: local.is, domain: domain.is }
}

type Read = { readonly is: string; readonly problem: null } | { readonly problem: string }

function readLocal(written: string): Read {
  if (written.startsWith('"')) return readQuotedLocal(written)
  if (!ASCII_ATEXT_AND_DOTS.test(written)) {
    if (written.includes('@')) return { problem: 'it has more than one @' }
    if (/^\s|\s$/.test(written)) return { problem: 'a space stands at its beginning or before the @' }
    const bad = UNSPEAKABLE.exec(written)
    if (bad) return { problem: `${codePoint(bad[0])} cannot stand before the @` }
    if (!ATEXT_AND_DOTS.test(written)) return { problem: 'a character before the @ would need quotes' }
  }
  if (octets(written) > LOCAL_OCTETS) return { problem: `more than ${LOCAL_OCTETS} octets stand before the @` }
  if (/^\.+$/.test(written)) return { problem: 'only dots stand before the @' }
  return { is: written, problem: null }
}

function readQuotedLocal(written: string): Read {
  const inside = written.slice(1, -1)
  if (written.length < 3 || !written.endsWith('"') || !QUOTED.test(inside)) return { problem: 'its quoted part is broken' }
  const bad = UNSPEAKABLE.exec(inside.replaceAll(' ', ''))
  if (bad) return { problem: `${codePoint(bad[0])} cannot stand before the @` }
  if (octets(written) > LOCAL_OCTETS) return { problem: `more than ${LOCAL_OCTETS} octets stand before the @` }
  return { is: inside.replace(/\\(.)/gu, '$1'), problem: null }
}

function readDomain(written: string): Read {
  let domain = written.toLowerCase()
  if (!HOST_NAME.test(domain) || domain.includes('xn--')) {
    if (domain === '') return { problem: 'nothing stands behind the @' }
    if (domain.startsWith('[')) return { problem: 'Hato sends to domains, not to address literals' }
    if (!DOMAIN_CHARACTERS.test(domain)) return { problem: 'its domain holds a character that no domain may hold' }
    domain = domainToASCII(domain)
    if (!HOST_NAME.test(domain)) return { problem: written.includes('.') ? 'its domain is not a domain name' : 'its domain has no dot' }
  }
  if (domain.length > DOMAIN_OCTETS) return { problem: `its domain is longer than ${DOMAIN_OCTETS} octets` }
  if (/\.\d+$/.test(domain)) return { problem: 'its domain ends in a number' }
  return { is: domain, problem: null }
}

function octets(text: string): number {
  return NOT_ASCII.test(text) ? Buffer.byteLength(text) : text.length
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** The local part as it stands in MAIL, RCPT and header fields: quoted only when it is no dot-atom (RFC 5321 4.1.2: a dot-atom is never sent quoted). */
function quoteLocal(local: string): string {
  return DOT_ATOM.test(local) ? local : `"${local.replace(/["\\]/g, '\\$&')}"`
}

/** The address as a peer hears it. Needs SMTPUTF8 when `needsSmtputf8` says so. */
export function formatAddress({ local, domain }: MailAddress): string {
  return `${quoteLocal(local)}@${domain}`
}

/** RFC 6531: only the local part can make SMTPUTF8 necessary, the domain travels in A-labels. */
export function needsSmtputf8({ local }: MailAddress): boolean {
  return NOT_ASCII.test(local)
}

/**
 * The key under which two spellings are one mailbox, for de-duplication and suppression; never what is sent.
 * Domain in lower-case A-labels, local part unquoted, NFC, lower case. RFC 5321 2.4 allows case to matter, but no provider lets it,
 * and whoever unsubscribed as Taro@ must not get the mail as taro@. Dots and `+tags` stay: only some providers ignore them.
 * @returns null when it is not an address.
 */
export function normaliseAddress(address: string): string | null {
  if (isUsual(address)) return address
  const read = readAddress(address)
  if (typeof read === 'string') return null
  const local = NOT_ASCII.test(read.local) ? read.local.normalize('NFC') : read.local
  return formatAddress({ local: local.toLowerCase(), domain: read.domain })
}

/** Mailboxes that belong to an office, not to a subscriber; no marketing goes there (delivery.md §2). */
export const ROLE_LOCALS: ReadonlySet<string> = new Set(['abuse', 'postmaster', 'noc', 'security', 'mailer-daemon'])

export function isRoleAddress({ local }: MailAddress): boolean {
  return ROLE_LOCALS.has(local.toLowerCase())
}
