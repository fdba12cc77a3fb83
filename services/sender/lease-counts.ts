import type { LeaseReport, SenderRest } from '../../protocol/messages/permission.ts'
import type { Blame, ReplyClass } from '../../protocol/words.ts'
import type { Finding } from './policy/attempt.ts'

/** Whose replies a router tells people about. */
const BLAMED: ReadonlySet<Blame> = new Set(['site', 'host', 'source', 'sender'])

/** What happened under a lease since its last report. */
export class LeaseCounts {
  #delivered = 0
  #classes: Partial<Record<ReplyClass, number>> = {}
  #lastReply: string | null = null
  #rttMs: number | null = null
  #rest: NonNullable<LeaseReport['rest']> | null = null
  readonly #senderRests = new Map<string, SenderRest>()
  #ended: number[] = []
  readonly #changed: () => void

  constructor(changed: () => void = () => {}) {
    this.#changed = changed
  }

  /** The order is not here any more. */
  end(seq: number): void {
    this.#ended.push(seq)
    this.#changed()
  }

  count(finding: Finding): void {
    this.#changed()
    if (finding.outcome === 'delivered') this.#delivered++
    else {
      // A host that is left alone was not asked, and our own closed door says nothing of it: no further failed connect, of which five rest the site.
      const heard = finding.class === 'unreachable' && (finding.mx === null || finding.blames === 'us') ? 'resting' : finding.class
      this.#classes[heard] = (this.#classes[heard] ?? 0) + 1
    }
    if (finding.ms !== null) this.#rttMs = this.#rttMs === null ? finding.ms : this.#rttMs * 0.9 + finding.ms * 0.1
    if (finding.reply && BLAMED.has(finding.blames)) {
      this.#lastReply = `${finding.reply.code} ${finding.reply.enhanced ? `${finding.reply.enhanced} ` : ''}${finding.reply.text}`.slice(0, 300)
    }
  }

  /** recipients told since the last report */
  get done(): number {
    return Object.values(this.#classes).reduce((sum, count) => sum + count, this.#delivered)
  }

  rest(rest: NonNullable<LeaseReport['rest']>): void {
    this.#changed()
    if (this.#rest === null || this.#rest.ms < rest.ms || rest.whole === true) this.#rest = rest
  }

  /** Mail of one From domain is not wanted here for now. */
  senderRest(rest: SenderRest): void {
    this.#changed()
    if ((this.#senderRests.get(rest.from)?.ms ?? 0) < rest.ms) this.#senderRests.set(rest.from, rest)
  }

  /** Is there something that the router should hear at once? */
  get urgent(): boolean {
    return this.#rest !== null || this.#lastReply !== null
  }

  /** Nothing happened since. */
  get isEmpty(): boolean {
    return this.done === 0 && this.#ended.length === 0 && this.#rest === null && this.#lastReply === null && this.#senderRests.size === 0
  }

  drain(): Pick<LeaseReport, 'delivered' | 'classes' | 'lastReply' | 'rttMs' | 'ended' | 'rest' | 'senderRests'> {
    const drained = {
      delivered: this.#delivered,
      classes: this.#classes,
      lastReply: this.#lastReply,
      rttMs: this.#rttMs === null ? null : Math.round(this.#rttMs),
      ended: this.#ended,
      rest: this.#rest,
      ...(this.#senderRests.size > 0 && { senderRests: [...this.#senderRests.values()] }),
    }
    this.#ended = []
    this.#senderRests.clear()
    this.#delivered = 0
    this.#classes = {}
    this.#lastReply = null
    this.#rest = null
    return drained
  }

  /** A report that nobody answered was perhaps not heard: what it said is said again. */
  undrain(report: LeaseReport): void {
    this.#delivered += report.delivered
    for (const [replyClass, count] of Object.entries(report.classes)) {
      this.#classes[replyClass as ReplyClass] = (this.#classes[replyClass as ReplyClass] ?? 0) + count
    }
    this.#lastReply ??= report.lastReply
    this.#ended.push(...report.ended)
    if (report.rest) this.rest(report.rest)
    for (const rest of report.senderRests ?? []) this.senderRest(rest)
  }
}
