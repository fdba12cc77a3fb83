/** What the far end has and saw. Fed with (event, what the model made of it), so a simulation can feed it as well.
 *
 *  About 300 bytes a mail: three strings and a small object; no bodies unless `keepBodies` asks for some. */
import type { Received } from './models/conversation.ts'
import type { Mail, SmtpEvent } from './models/event.ts'
import { isPositive } from './models/reply.ts'
import type { Planted } from './plant.ts'
import type { Body } from './smtp/front.ts'
import { openCounts, type IspCounts, sourceOf, tallyBody, tallyEvent } from './counts.ts'

/** One (Message-ID, RCPT) at the far end. */
export type Arrival = {
  readonly messageId: string
  readonly isp: string
  /** MAIL FROM of the first copy: where a bounce would go */
  readonly from: string
  /** of the first copy */
  readonly source: string
  readonly host: string
  readonly tls: 'plain' | 'encrypted'
  /** epoch ms of the first copy */
  readonly at: number
  /** copies; 0 after the ISP threw it away again (docomo's trap) */
  count: number
  /** copies whose dot the world left unanswered, so that a sender may in good faith send again */
  unanswered: number
}

export type WorldRecord = {
  readonly rcpts: ReadonlyMap<string, readonly Arrival[]>
  readonly isps: ReadonlyMap<string, IspCounts>
  /** recipients taken so far, every copy counted */
  readonly taken: number
  readonly planted: readonly { readonly plant: string; readonly rcpt: string; readonly messageId: string }[]
  arrivals(rcpt: string): readonly Arrival[]
  bodies(rcpt: string): readonly Buffer[]
  heard(isp: string, event: SmtpEvent, received: Received, body: Body | null, now: number): void
}

type Options = { readonly keepBodies: number; readonly planted: Planted }

const WIDE = 32

export function openRecord({ keepBodies, planted }: Options): WorldRecord {
  const rcpts = new Map<string, Arrival[]>()
  const isps = new Map<string, IspCounts>()
  const bodies: { readonly rcpts: readonly string[]; readonly bytes: Buffer }[] = []
  let taken = 0

  function take(isp: string, mail: Mail, received: Received, now: number): void {
    const { host, tls } = received.session
    for (const rcpt of mail.rcpts) {
      const copies = planted.copiesOf(rcpt, mail.messageId)
      for (let copy = 0; copy < copies; copy += 1) add({ isp, host, tls }, mail, rcpt, isPositive(received.answer.reply) ? 0 : 1, now)
    }
  }

  /** Few addresses get many mails; those get an index of their own, so that the ten thousandth costs what the first does. */
  const wide = new Map<string, Map<string, Arrival>>()
  function find(rcpt: string, arrivals: readonly Arrival[], messageId: string): Arrival | undefined {
    if (arrivals.length < WIDE) return arrivals.find((one) => one.messageId === messageId)
    const index = wide.get(rcpt) ?? new Map(arrivals.map((one) => [one.messageId, one]))
    wide.set(rcpt, index)
    return index.get(messageId)
  }

  function add(where: Pick<Arrival, 'isp' | 'host' | 'tls'>, mail: Mail, rcpt: string, unanswered: 0 | 1, now: number): void {
    taken += 1
    const arrivals = rcpts.get(rcpt)
    const before = arrivals === undefined ? undefined : find(rcpt, arrivals, mail.messageId)
    if (before !== undefined) {
      before.count += 1
      before.unanswered += unanswered
      return
    }
    const arrival: Arrival = { messageId: mail.messageId, ...where, from: mail.from, source: mail.source, at: now, count: 1, unanswered }
    if (arrivals === undefined) rcpts.set(rcpt, [arrival])
    else arrivals.push(arrival)
    wide.get(rcpt)?.set(mail.messageId, arrival)
  }

  function throwAway(mail: Mail): void {
    for (const rcpt of mail.rcpts) {
      const arrival = rcpts.get(rcpt)?.find(({ messageId }) => messageId === mail.messageId)
      if (arrival !== undefined && arrival.count > 0) arrival.count -= 1
    }
  }

  return {
    rcpts,
    isps,
    get taken() {
      return taken
    },
    get planted() {
      return planted.done()
    },
    arrivals: (rcpt) => rcpts.get(rcpt) ?? [],
    bodies: (rcpt) => bodies.filter((body) => body.rcpts.includes(rcpt)).map(({ bytes }) => bytes),
    heard(isp, event, received, body, now) {
      const counts = isps.get(isp) ?? openCounts()
      isps.set(isp, counts)
      const source = sourceOf(counts, received.session.source)
      tallyEvent(counts, source, event, received, now)
      if (body !== null) tallyBody(counts, body)
      for (const mail of received.answer.voids ?? []) throwAway(mail)
      if (received.stored === null) return
      take(isp, received.stored, received, now)
      if (body?.bytes !== undefined && bodies.length < keepBodies) bodies.push({ rcpts: received.stored.rcpts, bytes: body.bytes })
    },
  }
}
