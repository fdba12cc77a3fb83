import { hash, timingSafeEqual } from 'node:crypto'
import { normaliseAddress } from '../../protocol/addresses.ts'

/**
 * Return paths and Message-IDs: pure functions of the recipient's place, so that they never change between attempts (delivery.md §4, §9).
 *
 * A return path is `b-<campaign tag>-<batch>-<n>-<whom>-<mac>@<return-path domain>`, at most 57 octets of the 64 a local part may have:
 *   tag    10 characters base 32 of SHA-256 over tenant and campaign. Always a hash, never the name itself: names reach 64 octets,
 *          and they tell upper from lower case, which some hosts lose on the way back. The batch's sequence finds the name in the journal;
 *          the tag proves that it is the same journal.
 *   batch  the batch's sequence in stream MAIL, base 36;  n  the recipient's index in it, base 36
 *   whom   8 characters base 32 of SHA-1 over the recipient's address: complaints come days later, when the journal no longer knows who the number was;
 *          then whoever reports has to name the address, and a path that was received by one cannot be used against another
 *   mac    16 characters base 32 (80 bits) of HMAC-SHA-256 over the rest, so that a forged bounce suppresses nobody
 */

/** Which recipient a bounce speaks of. */
export interface ReturnPathKey {
  readonly campaignTag: string
  readonly batch: number
  readonly n: number
  /** `isWhom` tells whether an address is the recipient's */
  readonly whom: string
}

export interface RecipientPlace {
  readonly tenant: string
  readonly campaign: string
  /** sequence of the batch in stream MAIL */
  readonly batch: number
  /** index in the batch, 0…99 */
  readonly n: number
}

const RETURN_PATH = /^b-([a-z2-7]{10})-([0-9a-z]{1,11})-([0-9a-z]{1,2})-([a-z2-7]{8})-([a-z2-7]{16})$/

export function campaignTag({ tenant, campaign }: { readonly tenant: string; readonly campaign: string }): string {
  const name = `${tenant}/${campaign}`
  if (lastTag?.name !== name) lastTag = { name, tag: base32(hash('sha256', name, 'binary'), 10) }
  return lastTag.tag
}

/** A sender asks for one campaign's tag many times in a row. */
let lastTag: { readonly name: string; readonly tag: string } | null = null

/** @param secret the cluster's, at least 16 octets; the same on every sender and on whoever reads bounces */
export function encodeReturnPath(place: RecipientPlace & { readonly address: string; readonly secret: string; readonly domain: string }): string {
  const told = `b-${campaignTag(place)}-${place.batch.toString(36)}-${place.n.toString(36)}-${whomOf(place.address)}`
  return `${told}-${mac(place.secret, told)}@${place.domain}`
}

/** The recipient that a return path of ours names, in any letter case and at any domain; null for everything else. */
export function decodeReturnPath(secret: string, address: string): ReturnPathKey | null {
  const at = address.lastIndexOf('@')
  const local = (at < 0 ? address : address.slice(0, at)).toLowerCase()
  const match = RETURN_PATH.exec(local)
  if (!match) return null
  const [, tag = '', batch = '', n = '', whom = '', given = ''] = match
  const expected = mac(secret, local.slice(0, -given.length - 1))
  if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return null
  return { campaignTag: tag, batch: Number.parseInt(batch, 36), n: Number.parseInt(n, 36), whom }
}

/** Is the address, in any spelling, the one the return path was made for? */
export function isWhom({ whom }: ReturnPathKey, address: string): boolean {
  return whomOf(address) === whom
}

function whomOf(address: string): string {
  return base32(hash('sha1', normaliseAddress(address) ?? address, 'binary'), 8)
}

function mac(secret: string, told: string): string {
  if (lastKeyed?.secret !== secret) lastKeyed = keyed(secret)
  const { inner, outer } = lastKeyed
  const length = inner.write(told, BLOCK, 'latin1')
  outer.write(hash('sha256', inner.subarray(0, BLOCK + length), 'binary'), BLOCK, 'latin1')
  return base32(hash('sha256', outer, 'binary'), 16)
}

/** Octets that SHA-256 takes at a time; what is told before a mac has at most 36. */
const BLOCK = 64

/**
 * HMAC (RFC 2104) by hand: its key made ready once, and two one-shot hashes a mail instead of an object with its own key schedule.
 * NOTE: 'binary' because a digest as a string of Latin-1 costs a third of one as a Buffer.
 */
interface Keyed {
  readonly secret: string
  readonly inner: Buffer
  readonly outer: Buffer
}
let lastKeyed: Keyed | null = null

function keyed(secret: string): Keyed {
  const octets = Buffer.from(secret)
  const key = Buffer.alloc(BLOCK)
  key.set(octets.length > BLOCK ? hash('sha256', octets, 'buffer') : octets)
  const padded = (pad: number, length: number) => {
    const block = Buffer.alloc(BLOCK + length)
    for (const [at, octet] of key.entries()) block[at] = octet ^ pad
    return block
  }
  return { secret, inner: padded(0x36, BLOCK), outer: padded(0x5c, 32) }
}

/**
 * `<hash@domain>` (RFC 5322 3.6.4). The address takes part beside the place, so that the id is the recipient's own
 * even if a stream was restored from a backup and its sequences begin again.
 */
export function messageId(place: RecipientPlace & { readonly address: string; readonly domain: string }): string {
  const told = `${place.tenant}\0${place.campaign}\0${place.batch}\0${place.n}\0${place.address}`
  return `<${base32(hash('sha256', told, 'binary'), 32)}@${place.domain}>`
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** The first `characters` of RFC 4648 base 32 of a string of octets, lower case: survives hosts that lose letter case. */
function base32(octets: string, characters: number): string {
  let text = ''
  let bits = 0
  let held = 0
  for (let at = 0; at < octets.length; at++) {
    held = ((held << 8) | octets.charCodeAt(at)) & 0xfff
    bits += 8
    while (bits >= 5) {
      text += BASE32[(held >> (bits - 5)) & 31]
      bits -= 5
      if (text.length === characters) return text
    }
  }
  return text
}
