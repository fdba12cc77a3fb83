/** What lies in stream MAIL and will not move by itself: what nobody can read, and what should have come due. */
import { type Order, readBatch, readOrder } from '../../../protocol/messages/mail.ts'
import { campaignName } from '../../../protocol/ids.ts'
import { STREAM } from '../../../protocol/streams.ts'
import { wildcard } from '../../../protocol/subjects.ts'
import type { Bus, StoredMessage } from '../../../services/runtime/bus.ts'
import { bytes, clock, count, counted, span } from '../format.ts'
import { bad, type Diagnosis, firstOf, good, note, warning } from './diagnosis.ts'

/** The oldest of each kind: what is stuck is old, and a backlog of millions is no reason to read it all. */
const LOOK_AT_MOST = 20_000
/** A watchdog publishes an overdue order anew after 30 s (design §3). */
const OVERDUE_MS = 30_000
/** What is released is a few seconds of what a site drains, and what rests longer is stored as waiting: an order this old does not move. */
const STILL_MS = 300_000

export interface MailFacts {
  readonly looked: number
  /** kinds of which more lay there than was looked at */
  readonly cut: boolean
  readonly unreadable: readonly { readonly seq: number; readonly on: string; readonly bytes: number; readonly at: number }[]
  /** orders whose batch could not be read, waiting for their deadline */
  readonly parked: readonly { readonly seq: number; readonly order: Order }[]
  readonly overdue: readonly { readonly seq: number; readonly on: string; readonly dueAt: number }[]
  /** with a router or sender for too long */
  readonly still: readonly { readonly seq: number; readonly on: string; readonly at: number; readonly order: Order }[]
}

export async function lookAtMail(bus: Bus, now: number): Promise<Diagnosis[]> {
  return judgeMail(await gather(bus, now), now)
}

async function gather(bus: Bus, now: number): Promise<MailFacts> {
  const facts = {
    looked: 0,
    cut: false,
    unreadable: [] as MailFacts['unreadable'][number][],
    parked: [] as MailFacts['parked'][number][],
    overdue: [] as MailFacts['overdue'][number][],
    still: [] as MailFacts['still'][number][],
  }
  for (const row of ['batch', 'order', 'due', 'laterRetry', 'laterRest'] as const) {
    let seen = 0
    for await (const message of bus.scan(STREAM.mail, wildcard(row))) {
      if (seen++ === LOOK_AT_MOST) {
        facts.cut = true
        break
      }
      facts.looked++
      const { seq, subject: on, body, at } = message
      const order = row === 'batch' ? null : readOrder(body)
      if (row === 'batch' ? readBatch(body) === null : order === null) facts.unreadable.push({ seq, on, bytes: body.length, at })
      if (order?.parked && order.because === 'protocol') facts.parked.push({ seq, order })
      if (order !== null && (row === 'order' || row === 'due') && at < now - STILL_MS) facts.still.push({ seq, on, at, order })
      const dueAt = scheduledAt(message)
      if (dueAt !== null && dueAt < now - OVERDUE_MS) facts.overdue.push({ seq, on, dueAt })
    }
  }
  return facts
}

/** `@at 2026-11-24T…` of a schedule (ADR-51); null for what is none. */
export function scheduledAt({ headers }: Pick<StoredMessage, 'headers'>): number | null {
  const at = /^@at (.+)$/.exec(headers['Nats-Schedule'] ?? '')?.[1]
  const ms = at === undefined ? Number.NaN : Date.parse(at)
  return Number.isNaN(ms) ? null : ms
}

export function judgeMail({ looked, cut, unreadable, parked, overdue, still }: MailFacts, now: number): Diagnosis[] {
  const lines: Diagnosis[] = []
  if (unreadable.length > 0) {
    lines.push(
      bad(
        `${counted(unreadable.length, 'message')} in ${STREAM.mail} cannot be read by this version; the recipients wait, and get "expired" at the campaign's deadline. Run the version that wrote it, or cancel the campaign`,
        firstOf(unreadable, 10, ({ seq, on, bytes: size, at }) => `${on}, message ${seq}, ${bytes(size)}, stored ${clock(at, now)}`),
      ),
    )
  }
  if (parked.length > 0) {
    lines.push(
      bad(
        `${counted(parked.length, 'order')} ${parked.length === 1 ? 'is' : 'are'} parked because nobody can read ${parked.length === 1 ? 'its' : 'their'} batch; hato resume tries again, hato cancel gives up`,
        firstOf(
          parked,
          10,
          ({ order }) =>
            `${campaignName({ tenant: order.tenant, id: order.campaign })}, batch ${order.batch}, ${counted(order.count, 'recipient')} for ${order.site}, until ${clock(order.deadline, now)}`,
        ),
      ),
    )
  }
  if (overdue.length > 0) {
    lines.push(
      bad(
        `${counted(overdue.length, 'waiting order')} should have come due; a full store stops the server's schedules, and the watchdog brings them back when there is room`,
        firstOf(
          [...overdue].sort((a, b) => a.dueAt - b.dueAt),
          5,
          ({ seq, on, dueAt }) => `${on}, message ${seq}, due ${span(now - dueAt)} ago`,
        ),
      ),
    )
  }
  if (still.length > 0) {
    lines.push(
      warning(
        `${counted(still.length, 'order')} ${still.length === 1 ? 'has' : 'have'} been out for more than ${span(STILL_MS)} without an end; hato isp SITE shows what holds the site`,
        firstOf(
          still,
          10,
          ({ seq, on, at, order }) =>
            `${on}, message ${seq}: ${counted(order.count, 'recipient')} of ${campaignName({ tenant: order.tenant, id: order.campaign })} for ${order.site}, out for ${span(now - at)}`,
        ),
      ),
    )
  }
  if (lines.length === 0) lines.push(good(`${counted(looked, 'batch or order', 'batches and orders')} looked at: all can be read, none is overdue`))
  return cut ? [...lines, note(`only the oldest ${count(LOOK_AT_MOST)} of each kind were looked at`)] : lines
}
