import type { Recipient } from '../../protocol/campaign.ts'
import type { ExpansionCursor } from '../../protocol/messages/mail.ts'
import { SAMPLE, shuffled } from './policy/sample.ts'
import type { Place } from './sites.ts'

/** A batch has at most so many recipients (design §1) … */
const BATCH_RECIPIENTS = 100
/** … and so many octets of addresses and variables. */
const BATCH_BYTES = 1_000_000
/**
 * Octets of a window's recipients; with 300 for each of its batches an atomic batch stays within 8 MB. A long tail has a batch for almost each of its
 * recipients in a window, so a window that is small costs messages, and each batch an order, a claim, an ack and their fsyncs: a list of 1,000 sites in
 * turn that is cut after 900 batches has one recipient in each.
 */
const WINDOW_BYTES = 3_500_000
/** A window of a tail, whose batches have fewer recipients than this on average, may have more (10 MB in all): the next one would be of the same sites. */
const TAIL_RECIPIENTS = 10
const TAIL_WINDOW_BYTES = 5_000_000
/**
 * A campaign's first window is small, so that its first mail does not wait for a long one; then they grow with what was cut: the third is as long as it may be.
 * 200 batches are soon there where sites are small; of one large site they hold 20,000 recipients, who are read, encoded and stored before any of them goes.
 */
const FIRST_WINDOW_BATCHES = 200
const FIRST_WINDOW_RECIPIENTS = 6_000
const GROWTH = 10

/**
 * Where a recipient goes: `site` = to a router; the others the scheduler settles or asks again itself.
 *   suppressed  the tenant's list says no: outcome without SMTP
 *   nowhere     its domain takes no mail: outcome without SMTP
 *   unknown     DNS does not answer: one batch per domain, asked again later
 */
export type PlaceKind = 'site' | 'suppressed' | 'nowhere' | 'unknown'

export interface Group {
  readonly place: PlaceKind
  readonly site: string
  readonly provider: string | null
  readonly shard: string
  recipients: Recipient[]
  /** number in the campaign of recipient 0 */
  readonly first: number
  bytes: number
}

export type GroupPlace = Pick<Group, 'place' | 'site' | 'provider' | 'shard'>

/** Names of groups that are no sites: no host name has a `~`. */
export const SUPPRESSED = '~suppressed'
export const NOWHERE = '~nowhere'
export const UNKNOWN = '~dns'

/** What kind of group a batch's `site` names. */
export function placeKindOf(site: string): PlaceKind {
  if (site === SUPPRESSED) return 'suppressed'
  if (site === NOWHERE) return 'nowhere'
  return site.startsWith(UNKNOWN) ? 'unknown' : 'site'
}

export const SUPPRESSED_PLACE: GroupPlace = { place: 'suppressed', site: SUPPRESSED, provider: null, shard: 't00' }

/** `place`: what DNS told of the domain; undefined = nothing yet. */
export function placeOf(domain: string, place: Place | undefined): GroupPlace {
  if (place === undefined || place.kind === 'unknown') return { place: 'unknown', site: `${UNKNOWN}/${domain}`, provider: null, shard: 't00' }
  if (place.kind === 'nowhere') return { place: 'nowhere', site: NOWHERE, provider: null, shard: 't00' }
  return { place: 'site', site: place.site, provider: place.provider, shard: place.shard }
}

export function newGroup(place: GroupPlace, first: number): Group {
  return { ...place, recipients: [], first, bytes: 0 }
}

/** Recipients between two cursors, grouped by site; closed as one atomic batch. Lines must come in the order of the list. */
export class WindowOfGroups {
  readonly #start: ExpansionCursor
  readonly #most: number
  readonly #mostRecipients: number
  readonly #groups: Group[] = []
  /** the group of each site that still takes recipients */
  readonly #open = new Map<string, Group>()
  #bytes = 0
  #largest = 0
  #position: number
  #lines = 0
  #recipients = 0
  #duplicates = 0
  #unusable = 0

  /** `most`: batches of one step */
  constructor(start: ExpansionCursor, most: number) {
    this.#start = start
    this.#most = Math.min(most, FIRST_WINDOW_BATCHES + GROWTH * start.batches)
    this.#mostRecipients = FIRST_WINDOW_RECIPIENTS + GROWTH * start.recipients
    this.#position = start.position
  }

  /** Would one more recipient there burst the atomic batch, or a step that is not to be long yet? Batches that are open are filled first. */
  isFullFor(place: GroupPlace): boolean {
    const isTail = this.#recipients < TAIL_RECIPIENTS * this.#groups.length
    if (this.#bytes >= (isTail ? TAIL_WINDOW_BYTES : WINDOW_BYTES)) return true
    return (this.#groups.length >= this.#most || this.#recipients >= this.#mostRecipients) && !this.#open.has(place.site)
  }

  add(place: GroupPlace, recipient: Recipient, after: number): void {
    const bytes = sizeOf(recipient)
    let group = this.#open.get(place.site)
    if (!group || group.bytes + bytes > BATCH_BYTES) {
      group = newGroup(place, this.#start.recipients + this.#recipients)
      this.#groups.push(group)
      this.#open.set(place.site, group)
    }
    group.recipients.push(recipient)
    group.bytes += bytes
    if (group.recipients.length >= BATCH_RECIPIENTS) this.#open.delete(place.site)
    this.#bytes += bytes
    this.#largest = Math.max(this.#largest, bytes)
    this.#recipients++
    this.#line(after)
  }

  duplicate(after: number): void {
    this.#duplicates++
    this.#line(after)
  }

  unusable(after: number): void {
    this.#unusable++
    this.#line(after)
  }

  readTo(after: number): void {
    this.#position = Math.max(this.#position, after)
  }

  /** `dice`: who of a site's recipients comes first, so that what is sent first is a sample of them all (policy/sample.ts); null = as in the list. */
  close(done: boolean, dice: (() => number) | null): { from: ExpansionCursor; cursor: ExpansionCursor; groups: readonly Group[] } {
    const { listRead, recipients, duplicates, unusable, batches } = this.#start
    const cursor = {
      position: this.#position,
      listRead: listRead + this.#lines,
      recipients: recipients + this.#recipients,
      duplicates: duplicates + this.#duplicates,
      unusable: unusable + this.#unusable,
      batches: batches + this.#groups.length,
      done,
    }
    if (dice !== null) this.#mix(dice)
    return { from: this.#start, cursor, groups: this.#groups }
  }

  /** Sites with more recipients here than a sample has; a batch that would burst keeps the list's order. */
  #mix(dice: () => number): void {
    const bySite = new Map<string, Group[]>()
    for (const group of this.#groups) {
      if (group.place !== 'site') continue
      const groups = bySite.get(group.site)
      if (groups === undefined) bySite.set(group.site, [group])
      else groups.push(group)
    }
    for (const groups of bySite.values()) {
      const all = groups.flatMap(({ recipients }) => recipients)
      if (all.length <= SAMPLE.least) continue
      const mixed = shuffled(all, dice)
      let at = 0
      const dealt = groups.map(({ recipients }) => {
        at += recipients.length
        return mixed.slice(at - recipients.length, at)
      })
      const mayBurst = this.#largest * BATCH_RECIPIENTS > BATCH_BYTES
      if (mayBurst && dealt.some((recipients) => recipients.reduce((sum, one) => sum + sizeOf(one), 0) > BATCH_BYTES)) continue
      for (const [nth, group] of groups.entries()) group.recipients = dealt[nth] as Recipient[]
    }
  }

  #line(after: number): void {
    this.#lines++
    this.#position = after
  }
}

/** About what a recipient takes in msgpack; strings of variables dominate. */
function sizeOf({ address, name, ref, vars }: Recipient): number {
  return 24 + address.length + (name?.length ?? 0) * 3 + (ref?.length ?? 0) + (vars === undefined ? 0 : JSON.stringify(vars).length * 1.5)
}
