/**
 * feedback: what comes back after the 250 (delivery.md §9).
 *
 * OWNS       the position in FEEDBACK up to which all has been acted on (bucket campaigns, key `feedback`)
 * HEARS      feedback.>, from its beginning: what was acted on before tells which ids and which words are known
 * SAYS       suppression entries; `bouncedLater complained unsubscribed` of campaigns, also ended ones; complaints and late bounces to who judges sites
 * INVARIANT  an id counts once, and a recipient once for each kind; no outcome is touched
 * ON CRASH   what was acted on since the position was saved is acted on again: entries are the same entries, and a campaign's record says up to which
 *            message it has counted
 */
import { decode, decodePublic, encode } from '../../protocol/codec.ts'
import { KEYS } from '../../protocol/buckets.ts'
import { Feedback, type SuppressionEntry } from '../../protocol/messages/ops.ts'
import { STREAM } from '../../protocol/streams.ts'
import { readSubject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Follow, StoredMessage } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { every } from '../runtime/wheel.ts'
import type { Campaigns } from './campaigns.ts'
import { type FeedbackPlaces, type Placed, shownCampaign } from './feedback-places.ts'
import { type Concerned, COUNT_OF, type Count, entryOf, type Heard, keysOf } from './policy/feedback.ts'
import { SeenSet } from './seen-set.ts'
import type { Suppression } from './suppression.ts'

/** messages acted on together: one write of entries a tenant, one of a record a campaign */
const AT_ONCE = 500
/** how far the reader may be ahead of what is acted on */
const AHEAD = 2_000

export interface FeedbackOptions {
  readonly bus: Bus
  readonly bucket: Bucket
  readonly log: Log
  readonly campaigns: Campaigns
  readonly suppression: Suppression
  readonly places: FeedbackPlaces
  readonly saveEveryMs: number
  /** of the fleet */
  readonly isTenant: (name: string) => boolean
  /** repeats what only the network hinders */
  readonly again: <T>(act: () => Promise<T>) => Promise<T>
  /** complaints and late bounces whose mail is known: who judges sites and IPs wants to hear of them */
  readonly onTaken: (tenant: string, feedback: Feedback, concerned: Concerned) => void
  readonly onHeard: (kind: Feedback['kind'], heard: Heard | 'unreadable') => void
}

interface Told {
  readonly tenant: string
  readonly seq: number
  readonly feedback: Feedback
}

export class FeedbackReader implements AsyncDisposable {
  readonly #options: FeedbackOptions
  readonly #follow: Follow
  readonly #seen = new SeenSet()
  readonly #waiting: Told[] = []
  readonly #saving: Disposable
  /** up to here all was acted on, as the bucket has it and as we have it */
  #saved: number
  #position: number
  /** the last message that was read */
  #heardTo = 0
  #working: Promise<void> | null = null
  #ending = false

  private constructor(options: FeedbackOptions, saved: number) {
    this.#options = options
    this.#saved = this.#position = saved
    this.#follow = options.bus.follow(STREAM.feedback, [wildcard('feedback')])
    this.#saving = every(options.saveEveryMs, () => void this.#saveOrSay())
    void this.#read()
  }

  static async open(options: FeedbackOptions): Promise<FeedbackReader> {
    const kept = await options.bucket.get(KEYS.feedback)
    return new FeedbackReader(options, kept === null ? 0 : decode<{ readonly position: number }>(kept.value).position)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true
    this.#saving[Symbol.dispose]()
    this.#follow.close()
    await this.#working
    await this.#saveOrSay()
  }

  async #read(): Promise<void> {
    for await (const message of this.#follow) {
      const told = this.#told(message)
      if (told !== null) this.#waiting.push(told)
      this.#heardTo = message.seq
      if (this.#waiting.length === 0) this.#position = Math.max(this.#position, this.#heardTo)
      else this.#working ??= this.#work().finally(() => (this.#working = null))
      if (this.#waiting.length >= AHEAD) await this.#working
    }
  }

  /** Null: nobody can read it, it was acted on by an earlier term, or it is known. */
  #told({ subject, body, seq }: StoredMessage): Told | null {
    const { log, onHeard, isTenant } = this.#options
    const tenant = readSubject('feedback', subject)?.tenant ?? ''
    const read = decodePublic(body)
    const feedback = read.kind === 'read' ? Feedback.safeParse(read.body) : null
    if (!feedback?.success || !isTenant(tenant)) {
      if (seq <= this.#saved) return null
      const because = read.kind === 'unreadable' ? read.because : feedback?.success ? 'there is no such tenant' : feedback?.error.issues[0]?.message
      log.warn('feedback unreadable', { tenant, seq, because })
      onHeard('bounce', 'unreadable')
      return null
    }
    const [id, word] = keysOf(tenant, feedback.data)
    const isNew = this.#seen.add(id)
    // NOTE: both are remembered in any case; `&&` would forget the second.
    const isNewWord = this.#seen.add(word)
    if (seq <= this.#saved) return null
    if (isNew && isNewWord) return { tenant, seq, feedback: feedback.data }
    log.info('feedback repeated', { tenant, seq, id: feedback.data.id })
    onHeard(feedback.data.kind, 'repeated')
    return null
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#ending) {
      const group = this.#waiting.slice(0, AT_ONCE)
      try {
        await this.#options.again(() => this.#act(group))
      } catch (error) {
        if (error instanceof Infrastructure) return // our connection is closed: the next term acts on it
        throw error
      }
      this.#waiting.splice(0, group.length)
      this.#position = Math.max(this.#position, this.#waiting.length === 0 ? this.#heardTo : (group.at(-1) as Told).seq)
    }
  }

  async #act(group: readonly Told[]): Promise<void> {
    const { places, suppression, campaigns, onTaken, onHeard, log } = this.#options
    const placed = await Promise.all(group.map(async (told) => ({ ...told, ...(await places.of(told.tenant, told.feedback)) })))
    const entries = new Map<string, SuppressionEntry[]>()
    for (const { tenant, feedback, concerned } of placed) {
      const entry = entryOf(feedback, concerned)
      if (entry !== null) entries.set(tenant, [...(entries.get(tenant) ?? []), entry])
    }
    for (const [tenant, some] of entries) await suppression.add(tenant, some)
    for (const [, { tenant, campaign, counts, upTo }] of countsOf(placed)) await campaigns.countFeedback(tenant, campaign, counts, upTo)
    for (const { tenant, seq, feedback, heard, concerned } of placed) {
      onHeard(feedback.kind, heard)
      const { kind, class: told, source, rcpt } = feedback
      const campaign = shownCampaign(tenant, concerned.campaign)
      const line = { tenant, campaign, kind, class: told, rcpt: concerned.rcpt ?? rcpt, site: concerned.site, source, seq }
      if (heard === 'taken') {
        log.info('feedback taken', line)
        onTaken(tenant, feedback, concerned)
      } else log.warn(`feedback ${heard}`, line)
    }
  }

  /** Records first, then the position they are true for. */
  async #saveOrSay(): Promise<void> {
    const position = this.#position
    if (position === this.#saved) return
    try {
      if (!(await this.#options.campaigns.saveFeedback())) return // a large tally is saved at its own pace; until then the position waits
      await this.#options.bucket.put(KEYS.feedback, encode({ position }))
      this.#saved = position
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#options.log.warn('position in feedback delayed', { error: error.message })
    }
  }
}

interface CampaignCounts {
  readonly tenant: string
  readonly campaign: string
  readonly counts: { readonly seq: number; readonly count: Count }[]
  upTo: number
}

function countsOf(placed: readonly (Told & Placed)[]): ReadonlyMap<string, CampaignCounts> {
  const found = new Map<string, CampaignCounts>()
  for (const { tenant, seq, feedback, concerned } of placed) {
    if (concerned.campaign === null) continue
    const key = `${tenant}/${concerned.campaign}`
    const of = found.get(key) ?? { tenant, campaign: concerned.campaign, counts: [], upTo: 0 }
    found.set(key, of)
    of.counts.push({ seq, count: COUNT_OF[feedback.kind] })
    of.upTo = seq
  }
  return found
}
