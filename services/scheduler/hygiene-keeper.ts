import { randomUUID } from 'node:crypto'
import { decode, encode } from '../../protocol/codec.ts'
import type { Fleet } from '../../protocol/fleet.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import type { HeldAsk, HeldDecided, HeldPage } from '../../protocol/messages/held.ts'
import type { Feedback, SuppressionEntry } from '../../protocol/messages/ops.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { suppressionConfig } from '../../protocol/suppression-config.ts'
import type { ReplyClass } from '../../protocol/words.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { every } from '../runtime/wheel.ts'
import { HygieneStore } from './hygiene-store.ts'
import type { Tripped } from './policy/breakers.ts'
import { type Concerned, verdictOf } from './policy/feedback.ts'
import { entryOf, Hygiene, type HygieneRules, type Say, type Verdict } from './policy/hygiene.ts'
import { recall, remember } from './policy/hygiene-memory.ts'
import type { Suppression } from './suppression.ts'

/** entries or held verdicts of one message */
const AT_ONCE = 500
/** how often verdicts with few results around them are looked at */
const SETTLE_EVERY_MS = 500
/** saving takes at most one part in so many of the time */
const SAVE_SHARE = 20

/** the journal no longer knows where it went; no host name has a `~` */
const NO_SITE = '~unknown'

interface HeldMessage {
  readonly v: 1
  readonly held: readonly Verdict[]
}

export interface HygieneOptions {
  readonly bus: Bus
  readonly bucket: Bucket
  readonly log: Log
  readonly clock: Clock
  readonly suppression: Suppression
  readonly saveEveryMs: number
  /** the journal's end: where a cluster that has no memory yet begins */
  readonly endSeq: number
  /** the document in force: `[suppression]` */
  readonly fleet: () => Fleet | null
  /** of the site's row */
  readonly unknownMax: (site: string) => number
  readonly onTrip: (trip: { readonly tenant: string; readonly campaign: string; readonly site: string } & Tripped) => void
  /** repeats what only the network hinders */
  readonly again: <T>(act: () => Promise<T>) => Promise<T>
}

/**
 * Verdicts, strikes, brakes and breakers at work: hears every outcome of the journal once, writes what `policy/hygiene.ts` decides, and keeps its
 * memory with the position it is true for. What a restart hears again it decides again; entries and holds said twice change nothing.
 */
export class HygieneKeeper implements AsyncDisposable {
  readonly #options: HygieneOptions
  readonly #store: HygieneStore
  readonly #hygiene: Hygiene
  readonly #acting = new Set<Promise<unknown>>()
  readonly #saves: Disposable
  /** while verdicts wait for time to pass */
  #settles: Disposable | null = null
  #position: number
  #changed = false
  #undone = false
  #ending = false
  #saving: Promise<void> = Promise.resolve()
  #saveAfter = 0
  #ruled: { readonly fleet: Fleet | null; readonly rules: HygieneRules } | null = null

  private constructor(options: HygieneOptions, store: HygieneStore, hygiene: Hygiene, position: number) {
    this.#options = options
    this.#store = store
    this.#hygiene = hygiene
    this.#position = position
    this.#saves = every(options.saveEveryMs, () => {
      if (this.#changed && options.clock.mono() >= this.#saveAfter) void this.#saveOrSay()
    })
    this.#settleWhilePending()
  }

  static async open(options: HygieneOptions): Promise<HygieneKeeper> {
    const { store, memory } = await HygieneStore.open(options.bucket, randomUUID())
    // A crash before the first save must not let the next term begin at a later end.
    if (memory === null) await store.save(remember(new Hygiene(), options.endSeq))
    return new HygieneKeeper(options, store, memory === null ? new Hygiene() : recall(memory), memory?.position ?? options.endSeq)
  }

  /** Last sequence of OUTCOMES heard. */
  get position(): number {
    return this.#position
  }

  heard(chunk: OutcomeChunk, seq: number): void {
    if (seq <= this.#position) return
    const { unknownMax, clock } = this.#options
    this.#act(this.#hygiene.observe({ ...chunk, at: Date.parse(chunk.at) }, this.#rules(), clock.now(), unknownMax))
    this.#position = seq
    this.#changed = true
  }

  /** What came back after the 250: a complaint counts for the breaker of its campaign and site, a late bounce is judged as its reply would have been. */
  cameBack(tenant: string, feedback: Feedback, { campaign, rcpt, site }: Concerned, isAmbiguous: boolean): void {
    const { clock, unknownMax } = this.#options
    const told = verdictOf(feedback, isAmbiguous)
    if (feedback.kind === 'complaint' && campaign !== null && site !== null) this.#act(this.#hygiene.complained(tenant, campaign, site))
    else if (told !== null && rcpt !== null) {
      const outcome = lateOutcome(rcpt, site ?? NO_SITE, told, feedback.source)
      this.#act(
        this.#hygiene.observe({ tenant, campaign: campaign ?? '', at: Date.parse(feedback.at), outcomes: [outcome] }, this.#rules(), clock.now(), unknownMax),
      )
    } else return
    this.#changed = true
  }

  /** A person lets the campaign go on there: it is judged by what comes from now on. */
  forgive(tenant: string, campaign: string, sites: readonly string[]): void {
    for (const site of sites) this.#hygiene.forgive(tenant, campaign, site)
    this.#changed = true
  }

  /** `suppression.<tenant>`: held, confirm, drop. */
  async answer(tenant: string, ask: HeldAsk): Promise<HeldPage | HeldDecided> {
    if (ask.action === 'held') return this.#held(tenant)
    const { bus, suppression, log } = this.#options
    const rules = this.#rules()
    await this.#acted()
    let decided = 0
    for await (const { body } of bus.scan(STREAM.suppression, subject('heldVerdict', { tenant }))) {
      const due = decode<HeldMessage>(body).held.filter(({ site, rcpt }) => isMeant(ask, site, rcpt) && this.#hygiene.isHeld(tenant, rcpt))
      const distinct = [...new Map(due.map((verdict) => [verdict.rcpt, verdict])).values()]
      if (ask.action === 'confirm' && distinct.length > 0)
        await suppression.add(
          tenant,
          distinct.map((verdict) => entryOf(verdict, rules)),
        )
      for (const { rcpt } of distinct) this.#hygiene.letGo(tenant, rcpt)
      decided += distinct.length
    }
    this.#changed = true
    await this.#save()
    if (this.#held(tenant).total === 0) await bus.purge(STREAM.suppression, subject('heldVerdict', { tenant }))
    log.info(`held verdicts ${ask.action === 'confirm' ? 'confirmed' : 'dropped'}`, { tenant, site: ask.site ?? null, decided })
    return { ok: true, decided }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#saves[Symbol.dispose]()
    this.#settles?.[Symbol.dispose]()
    this.#ending = true
    await this.#saveOrSay()
  }

  /** Read once a document, not once a chunk. */
  #rules(): HygieneRules {
    const fleet = this.#options.fleet()
    if (this.#ruled === null || this.#ruled.fleet !== fleet) this.#ruled = { fleet, rules: hygieneRules(fleet) }
    return this.#ruled.rules
  }

  #held(tenant: string): HeldPage {
    const groups = this.#hygiene.heldGroups().filter((group) => group.tenant === tenant)
    return {
      total: groups.reduce((sum, { count }) => sum + count, 0),
      sites: groups.map(({ site, count, since, reply }) => {
        const pulledAt = this.#hygiene.sites.get(site)?.brake.pulledAt ?? null
        return { site, count, since: rfc3339(since), reply, brakeSince: pulledAt === null ? null : rfc3339(pulledAt) }
      }),
    }
  }

  #settleWhilePending(): void {
    const wanted = this.#hygiene.pending > 0 && !this.#ending
    if (wanted === (this.#settles !== null)) return
    this.#settles?.[Symbol.dispose]()
    this.#settles = wanted ? every(SETTLE_EVERY_MS, () => this.#act(this.#hygiene.settle(this.#rules(), this.#options.clock.now()))) : null
  }

  #act(says: readonly Say[]): void {
    this.#settleWhilePending()
    const entries = new Map<string, SuppressionEntry[]>()
    const held = new Map<string, Verdict[]>()
    for (const say of says) {
      switch (say.say) {
        case 'write':
          into(entries, say.tenant, say.entry)
          break
        case 'hold':
          into(held, say.verdict.tenant, say.verdict)
          break
        case 'brake':
          this.#options.log.warn(`brake ${say.is}`, { site: say.site, ...say.share })
          break
        case 'trip':
          this.#options.onTrip({ ...say, ...say.tripped })
      }
    }
    if (says.length > 0) this.#changed = true
    for (const [tenant, all] of entries) for (const some of chunks(all)) this.#begin(() => this.#options.suppression.add(tenant, some))
    for (const [tenant, all] of held) for (const some of chunks(all)) this.#begin(() => this.#hold(tenant, some))
  }

  async #hold(tenant: string, held: readonly Verdict[]): Promise<void> {
    const stored = await this.#options.bus.store(subject('heldVerdict', { tenant }), encode({ v: 1, held } satisfies HeldMessage))
    if (stored.kind === 'refused') throw new Infrastructure('unavailable', `held verdicts of ${tenant} refused: ${stored.code} ${stored.message}`)
  }

  #begin(act: () => Promise<unknown>): void {
    const acting = this.#options
      .again(act)
      .catch((error: unknown) => {
        if (!(error instanceof Infrastructure)) throw error
        this.#undone = true // our connection is closed: the next term hears it again, since nothing is saved any more
      })
      .finally(() => this.#acting.delete(acting))
    this.#acting.add(acting)
  }

  async #acted(): Promise<void> {
    while (this.#acting.size > 0) await Promise.all(this.#acting)
  }

  /** The memory as it is now, once everything that was decided before is durable: a crash in between decides it again. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(
      () => this.#write(),
      () => this.#write(),
    )
    return this.#saving
  }

  async #write(): Promise<void> {
    if (!this.#changed) return
    const { clock, log } = this.#options
    const began = clock.mono()
    this.#changed = false
    const memory = remember(this.#hygiene, this.#position)
    try {
      await Promise.all([...this.#acting])
      if (this.#undone) return
      if (!(await this.#store.save(memory))) {
        log.error('hygiene fenced', { position: memory.position })
        if (!this.#ending) throw new Error('the memory of verdicts was written by another owner')
      }
    } catch (error) {
      this.#changed = true
      throw error
    }
    this.#saveAfter = clock.mono() + (clock.mono() - began) * SAVE_SHARE
  }

  async #saveOrSay(): Promise<void> {
    try {
      await this.#save()
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#options.log.warn('memory of verdicts delayed', { error: error.message }) // the next turn tries again
    }
  }
}

/** The fleet's word, in milliseconds. */
function hygieneRules(fleet: Fleet | null): HygieneRules {
  const { unknown_for, strikes, over, settle, hold } = suppressionConfig(fleet)
  return { unknownForMs: unknown_for, strikes, overMs: over, settleMs: settle, holdMs: hold }
}

function lateOutcome(rcpt: string, site: string, told: ReplyClass, source: string): Outcome {
  const unsaid = { n: 0, ref: null, code: null, enhanced: null, mx: null, ip: null, ms: null }
  return { ...unsaid, rcpt, site, outcome: 'bounced', stage: 'rcpt', reply: source, class: told, blames: 'recipient', suppress: true }
}

function isMeant({ site, addresses }: Exclude<HeldAsk, { action: 'held' }>, ofSite: string, rcpt: string): boolean {
  return (site === undefined || site === ofSite) && (addresses === undefined || addresses.includes(rcpt))
}

function into<T>(map: Map<string, T[]>, key: string, one: T): void {
  const all = map.get(key)
  if (all) all.push(one)
  else map.set(key, [one])
}

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += AT_ONCE) yield all.slice(at, at + AT_ONCE)
}
