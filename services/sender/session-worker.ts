import type { LeaseReport, SenderRest } from '../../protocol/messages/permission.ts'
import type { LeaseHolder } from './lease-holder.ts'
import type { Worker } from './worker.ts'
import type { WorkerTools } from './worker-tools.ts'
import { Bearing } from './bearing.ts'
import { domainOf, type Turn } from './works.ts'
import { type Finding, foundWithoutReply } from './policy/attempt.ts'
import { findingOf } from './policy/finding.ts'
import { askedOnce, seenAs } from './policy/seen-as.ts'
import { routeFinding } from './policy/route-finding.ts'
import { bearsRequired, requiringTls, unlessFurther } from './policy/tls/require.ts'
import type { Route } from './policy/route.ts'
import { leadsTo } from './routes.ts'
import { renderTurn } from './render-turn.ts'
import { isSpent, learnEnd } from './session-ends.ts'
import { openDoor } from './session-door.ts'
import { tellFinding } from './aftermath.ts'
import type { Mail } from './smtp/types.ts'
import type { SmtpSession } from './smtp/session.ts'

/** how many sessions may break under a recipient in one attempt, before any reply, until that counts as a try */
const BROKEN_SESSIONS = 3
/** a lease whose only session was refused for "too many connections" waits so long if the reply named no time */
const CONNECTION_REST_MS = 5_000
/** after a try that came to nothing */
const NOTHING_MS = 20
/** domains a worker knows the hosts of: at a large provider one session meets very many */
const DOMAINS_REMEMBERED = 1_000
/** a peer gets so long to answer QUIT before its slot is taken as free (S4: it may count us until then) */
const QUIT_MS = 2_000

/** A mail whose envelope is with the peer already, behind the body before it. */
interface Announced {
  readonly turn: Turn
  readonly mail: Mail
}

/** One session slot of a lease: takes recipients one after another and keeps its SMTP session warm between them. */
export class SessionWorker implements Worker {
  readonly done: Promise<void>
  readonly #holder: LeaseHolder
  readonly #tools: WorkerTools
  readonly #bearing: Bearing
  #session: SmtpSession | null = null
  #opening = false
  #leaving = false
  #announced: Announced | null = null
  readonly #seenAs = askedOnce(seenAs)
  readonly #broken = new WeakMap<object, Map<number, number>>()

  constructor(holder: LeaseHolder, tools: WorkerTools) {
    this.#holder = holder
    this.#tools = tools
    this.#bearing = new Bearing(tools)
    this.done = this.#run()
  }

  get phase(): 'none' | 'open' | 'lingering' {
    if (this.#leaving) return 'lingering'
    if (this.#session === null && !this.#opening) return 'none'
    return this.#holder.live ? 'open' : 'lingering'
  }

  fits(domain: string): boolean {
    const session = this.#session
    const way = this.#ways.get(domain)
    return session?.usable === true && way !== undefined && leadsTo(way, session.facts)
  }
  /** where domains seen by this worker lead: which recipients its session can take. NOTE: only a preference; the route is asked again before each mail. */
  readonly #ways = new Map<string, Pick<Extract<Route, { kind: 'hops' }>, 'hosts' | 'addresses'>>()

  stop(): void {
    const session = this.#session
    if (session === null) return
    // After the dot the reply is worth waiting for; before it the mail goes back untouched.
    // NOTE: not `stage === 'idle'`, which a mail that waits for the reply to RSET has too.
    if (session.idleSinceMs !== null) session.quit()
    else if (session.stage !== 'dot') session.close()
  }

  async #run(): Promise<void> {
    // The holder lists this worker only after construction: its first turn must not be asked for before.
    await Promise.resolve()
    const { terms } = this.#holder.lease
    for (;;) {
      const turn = this.#announced?.turn ?? (await this.#holder.next(this, terms.idleMs))
      if (turn === null) break
      // What came to nothing is not taken up again within the same breath: the peer's close or a renewal must be heard in between.
      if ((await this.#attempt(turn)) === 'nothing') await this.#holder.reach({ at: this.#tools.mono() + NOTHING_MS })
      const session = this.#announced === null ? this.#session : null
      if (session !== null && isSpent(session, terms, this.#tools.lengths, this.#tools.mono())) await this.#leave()
    }
    await this.#leave()
  }

  async #attempt(turn: Turn): Promise<'told' | 'nothing'> {
    const found = await this.#try(turn)
    if (found === null) {
      this.#holder.back(turn)
      return 'nothing'
    }
    const { rest, senderRest } = tellFinding(turn, found, this.#holder, this.#tools)
    if (rest !== null) this.#rest(rest)
    if (senderRest !== null) this.#restSender(senderRest)
    return 'told'
  }

  /** One try at one recipient: what it came to, or null when it never began. */
  async #try(turn: Turn): Promise<Finding | null> {
    if (this.#announced?.turn === turn) return this.#sendAnnounced(this.#announced)
    const { work, n } = turn
    const { order } = work.held
    const recipient = work.batch.recipients[n]
    if (!recipient) return foundWithoutReply('bounced', 'protocol', 'us', `the batch has no recipient ${n}`)
    if (order.deadline <= this.#tools.wall()) return foundWithoutReply('expired', 'deadline', 'nobody', 'its time to be sent was over')

    const rests = this.#tools.blames.rests(recipient.address, this.#tools.wall())
    if (rests !== null) return rests

    const session = await this.#sessionFor(domainOf(recipient.address), work.batch.requireTls === true ? 'require-tls' : 'any')
    if (session.kind !== 'session') return session.kind === 'finding' ? session.finding : null

    const mail = await renderTurn(turn, this.#tools)
    if (mail === null) return null
    if (mail.kind === 'unusable') return foundWithoutReply('bounced', 'content', 'content', mail.because)

    if (!(await this.#clearance(turn))) return null
    if (this.#session !== session.session || !session.session.usable) return null
    return this.#transact(session.session, turn, mail.mail)
  }

  /** Its envelope cannot be taken back: what the lease no longer covers goes unsent, with the session. */
  async #sendAnnounced({ turn, mail }: Announced): Promise<Finding | null> {
    const session = this.#session
    this.#announced = null
    if (session === null || !session.usable) return null
    if (this.#holder.live && !turn.work.lost && turn.work.letGo === null) return this.#transact(session, turn, mail)
    session.close()
    await this.#leave()
    return null
  }

  async #transact(session: SmtpSession, turn: Turn, mail: Mail): Promise<Finding | null> {
    const { order } = turn.work.held
    const { mx, warm } = { mx: session.facts.host, warm: session.counts.mails > (session.announced === null ? 0 : 1) }
    const behind = await this.#behind(session)
    const transaction = await session.transact(mail, behind?.mail ?? null)
    if (transaction.aheadRefused) this.#tools.ahead.refused(session.facts.address)
    if (session.usable && behind !== null && session.announced !== null) this.#announced = behind
    else if (behind !== null) this.#holder.back(behind.turn) // not written, or gone with the session
    const finding = findingOf(transaction, {
      kind: order.kind,
      mx,
      judge: this.#tools.judge,
      provider: order.provider,
      warm,
      unknown: this.#holder.lease.terms.unknown,
      source: `${this.#holder.lease.ip} ${this.#holder.lease.site}`,
    })
    if (!session.usable) this.#session = null
    if (finding !== 'session-broke') {
      return { ...finding, tls: session.facts.tls, seenAs: this.#seenAs(session.facts.ehlo, this.#holder.lease.ip, session.facts.address) }
    }
    // Broken before any reply to this mail: nobody is charged, unless it happens again and again.
    return this.#brokenAgain(turn) ? foundWithoutReply('deferred', 'unreachable', 'host', 'sessions broke before a reply', 'mail') : null
  }

  /** The mail that goes behind this one, made and cleared before the first is sent; null where it had to wait for anything, or the peer is not for it. */
  async #behind(session: SmtpSession): Promise<Announced | null> {
    const { lease } = this.#holder
    // The one in front is not counted yet, unless it was announced itself.
    if (isSpent(session, lease.terms, this.#tools.lengths, this.#tools.mono(), session.announced === null ? 1 : 0)) return null
    if (!this.#tools.ahead.mayAnnounce(lease.terms.ahead, session.facts.address, session.counts.mails, this.#holder)) return null
    const turn = this.#holder.behind(this)
    if (turn === null) return null
    const mail = (await this.#leadsTo(session, turn)) ? await renderTurn(turn, this.#tools) : null
    if (mail !== null && mail.kind !== 'unusable' && session.usable && this.#holder.pace.isFree(this.#tools.mono()) && this.#holder.begin(turn)) {
      this.#holder.pace.take(this.#tools.mono())
      return { turn, mail: mail.mail }
    }
    this.#holder.back(turn)
    return null
  }

  /** Would the recipient's own turn, now, come to this session? */
  async #leadsTo(session: SmtpSession, { work, n }: Turn): Promise<boolean> {
    if (work.held.order.deadline <= this.#tools.wall() || work.batch.requireTls) return false
    const domain = domainOf(work.batch.recipients[n]?.address ?? '')
    if (this.#bearing.believes(session, domain)) return true
    return this.#bearing.asks(session, await this.#tools.routes.of(domain, this.#holder.lease, this.#tools.network()), domain)
  }

  /** Pace, journal and lease all agree that a transaction may start now. */
  async #clearance(turn: Turn): Promise<boolean> {
    const { work } = turn
    const now = this.#tools.mono()
    await this.#holder.reach(this.#holder.pace.take(now))
    if (work.ratePace) await this.#holder.reach(work.ratePace.take(now))
    await this.#tools.journal.room()
    return work.letGo === null && !work.lost && this.#holder.begin(turn)
  }

  async #sessionFor(
    domain: string,
    by: 'any' | 'require-tls',
  ): Promise<{ kind: 'session'; session: SmtpSession } | { kind: 'finding'; finding: Finding } | { kind: 'none' }> {
    const { lease } = this.#holder
    const open = this.#session
    if (by === 'any' && open !== null && this.#bearing.believes(open, domain)) return { kind: 'session', session: open }
    const found = await this.#tools.routes.of(domain, lease, this.#tools.network())
    if (found.kind !== 'hops') return { kind: 'finding', finding: routeFinding(found) }
    const route = by === 'any' ? found : requiringTls(found)
    if ('outcome' in route) return { kind: 'finding', finding: route }
    if (this.#ways.size > DOMAINS_REMEMBERED) this.#ways.clear()
    this.#ways.set(domain, route)
    if (open !== null && (by === 'any' || bearsRequired(open.facts, route.hops)) && (await this.#bearing.asks(open, route, domain)))
      return { kind: 'session', session: open }
    await this.#leave()
    const hops = this.#holder.withRoom(route.hops)
    if (hops.length === 0) {
      // Every address of the route has the sessions it bears: this slot is one too many here.
      this.#holder.shrink()
      return { kind: 'none' }
    }
    this.#opening = true
    const opened = await openDoor(hops, route.every, this.#holder, this.#tools.door).finally(() => {
      this.#opening = false
    })
    if (opened.kind === 'open') {
      this.#session = opened.session
      learnEnd(opened.session, this.#tools.lengths)
      if (this.#holder.live) return { kind: 'session', session: opened.session }
      await this.#leave()
      return { kind: 'none' }
    }
    if (opened.finding === null) return { kind: 'none' }
    if (opened.finding.class === 'too-many-connections') {
      // Nobody's mail was refused: this slot is one too many for now, the others go on.
      this.#holder.counts.count(opened.finding)
      this.#tools.reportNow()
      if (this.#holder.sessions('open') === 0) this.#rest({ ms: opened.finding.restMs ?? CONNECTION_REST_MS, because: opened.finding.class })
      else this.#holder.shrink()
      return { kind: 'none' }
    }
    return { kind: 'finding', finding: unlessFurther(opened.finding, route) }
  }

  /** QUIT, and wait until the peer has let go too, so that its slot is free before ours is used again. */
  async #leave(): Promise<void> {
    const session = this.#session
    if (session === null) return
    this.#leaving = true
    if (session.usable) session.quit()
    const late = setTimeout(() => session.close(), QUIT_MS)
    await session.over
    clearTimeout(late)
    this.#session = null
    this.#leaving = false
  }

  #rest(rest: NonNullable<LeaseReport['rest']>): void {
    this.#holder.counts.rest(rest)
    this.#holder.end(rest.because, rest.ms, 'return')
    this.#tools.reportNow()
  }

  /** The reply blamed our domain: its mail rests at this site, everybody else's goes on. The router tells the other senders. */
  #restSender(rest: SenderRest): void {
    this.#holder.counts.senderRest(rest)
    this.#tools.restSender(this.#holder.lease.site, rest)
    this.#tools.reportNow()
  }

  #brokenAgain({ work, n }: Turn): boolean {
    const times = this.#broken.get(work) ?? new Map<number, number>()
    this.#broken.set(work, times)
    const count = (times.get(n) ?? 0) + 1
    times.set(n, count)
    return count >= BROKEN_SESSIONS
  }
}
