import { decode } from '../codec.ts'
import { type EpochMs, type Kind, LANES, type Lane, type ReplyClass } from '../words.ts'
import type { Mask } from '../mask.ts'

/** Recipients of one campaign and site, written once to `list.<campaign>.<site>`; addressed ever after by its sequence in MAIL. */
export interface Batch {
  readonly v: 1
  readonly tenant: string
  readonly campaign: string
  readonly kind: Kind
  readonly site: string
  /** provider row the site belongs to, or null for the tail */
  readonly provider: string | null
  readonly shard: string
  /** names the `CampaignContent` object (bucket `hato`) all recipients of the campaign share */
  readonly content: string
  /** sent only over verified TLS to hosts that offer REQUIRETLS (RFC 8689) */
  readonly requireTls?: true
  /** position of recipient 0 in the campaign, so that every recipient has a number unique in it */
  readonly first: number
  readonly recipients: readonly BatchRecipient[]
}

export interface BatchRecipient {
  readonly address: string
  readonly name: string | null
  readonly ref: string | null
  readonly vars: Readonly<Record<string, unknown>> | null
}

/** The reading of a batch; null when this version cannot. Then its order is parked, never dropped, never tried blindly (style 8). */
export function readBatch(body: Uint8Array): Batch | null {
  try {
    const batch = decode<Batch | null>(body)
    return batch !== null && typeof batch === 'object' && batch.v === 1 && Array.isArray(batch.recipients) ? batch : null
  } catch {
    return null // whatever is wrong with the bytes, they are no batch
  }
}

/**
 * A batch this small goes within its order. A message of its own costs the server a write, a reading and a removal beside the order's, and a tail of small
 * sites has one for every few recipients. Orders rest and come due by the ten thousand at once and must stay small: larger batches are stored once, apart.
 */
export const INLINE = { recipients: 10, bytes: 1_000 } as const

/** The reading of an order; null when this version cannot. */
export function readOrder(body: Uint8Array): Order | null {
  try {
    const order = decode<Order | null>(body)
    const readable =
      order?.v === 1 && typeof order.site === 'string' && typeof order.pool === 'string' && (LANES as readonly string[]).includes(order.lane) && order.count > 0
    return readable ? order : null
  } catch {
    return null // whatever is wrong with the bytes, they are no order
  }
}

/** ≤ 300 bytes that say: work on this batch. Orders are what travels, rests, retries and moves. */
export interface Order {
  readonly v: 1
  /** identity of this attempt's order, = the sequence of its first copy; absent on that copy. A copy that rested or moved keeps it, so that claims know it again */
  readonly id?: number
  readonly tenant: string
  readonly campaign: string
  readonly kind: Kind
  readonly lane: Lane
  readonly site: string
  readonly provider: string | null
  readonly pool: string
  /** domain of the campaign's From: what rests at a site when a reply there blames the sender; absent in orders of an older version */
  readonly from?: string
  /**
   * the batch's sequence in MAIL; negative = that many messages before this order, for a batch written in the same atomic batch; 0 = it has no message of
   * its own (`inline`): its number is the sequence of the order's first copy
   */
  readonly batch: number
  /** an encoded `Batch` of few recipients: it goes where the order goes, to the end of its last attempt */
  readonly inline?: Uint8Array
  readonly mask: Mask
  /** recipients meant, = bits in mask */
  readonly count: number
  readonly attempt: number
  readonly deadline: EpochMs
  /** mails per second this order may take at most (its share of the campaign's `rate`); absent = unlimited */
  readonly rate?: number
  /** the campaign's window closes then: what is left comes back as the retry order instead of being sent at night */
  readonly pauseAt?: EpochMs
  /** its campaign is paused, or nobody can read its batch (`because: 'protocol'`): it stands in `later` until resume fires it by hand */
  readonly parked?: true
  /** charged tries so far per set bit of the mask, in order; absent = none charged */
  readonly charged?: Uint8Array
  /** tries refused by a 5xx that blamed not the recipient, likewise */
  readonly refusals?: Uint8Array
  /** earliest next try per set bit of the mask, seconds since 1970; absent = now */
  readonly notBefore?: readonly number[]
  /** source IP to come back from, and until when that is binding */
  readonly stick?: { readonly ip: string; readonly hardUntil: EpochMs }
  /** recipients an earlier holder may have sent to already (S2) */
  readonly maybe?: Mask
  /** why it waited; absent while it is on its way to be tried */
  readonly because?: ReplyClass
  /** it goes to the backup MX behind this site, which was out of reach */
  readonly after?: string
}

/** An order on its way through a router or sender: with what is needed to keep it alive and to end it. */
export interface HeldOrder {
  readonly order: Order
  /** its sequence in MAIL: names this order (two copies of a retry order have two) */
  readonly seq: number
  readonly ackSubject: string
}

/** Which order this is, whatever copy of it. */
export function orderId({ order, seq }: Pick<HeldOrder, 'order' | 'seq'>): number {
  return order.id ?? seq
}

/** The batch's absolute sequence. */
export function batchSeqOf({ order, seq }: Pick<HeldOrder, 'order' | 'seq'>): number {
  return order.batch > 0 ? order.batch : seq + order.batch
}

/** The order as it is stored again for the same attempt (rest, move, return): it keeps its identity and names its batch absolutely. */
export function carried(held: Pick<HeldOrder, 'order' | 'seq'>): Order {
  return { ...held.order, id: orderId(held), batch: batchSeqOf(held) }
}

/** `claim.<campaign>.<batch>`: who works on which attempt. Its sequence in OUTCOMES is the fencing token of every outcome under it. */
export interface Claim {
  readonly attempt: number
  /** `orderId` of the order it was made for */
  readonly order: number
  readonly sender: string
  /** recipients this claim set out to work on */
  readonly mask: Mask
}

/** `cursor.<campaign>`: where expansion stands; committed in one atomic batch with the batches it counts. */
export interface ExpansionCursor {
  /** bytes of an object list, or recipients of an inline list, read and accounted for */
  readonly position: number
  /** lines of the list read so far, = recipients + duplicates + unusable */
  readonly listRead: number
  readonly recipients: number
  readonly duplicates: number
  readonly unusable: number
  /** suppressed at expansion; their outcomes are in the journal under batch numbers of their own */
  readonly batches: number
  readonly done: boolean
}

/** `cursor.<campaign>.<site>`: the last batch of the site that has been released as an order. Negative = that many messages before the cursor's own. */
export interface ReleaseCursor {
  readonly released: number
}
