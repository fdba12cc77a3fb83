import { KEYS } from '../../../protocol/buckets.ts'
import { encodeJson } from '../../../protocol/codec.ts'
import {
  countSession,
  dayOf,
  noCounts,
  type PolicyShown,
  reportAddresses,
  type SessionSeen,
  type TlsCounts,
  type TlsTrouble,
} from '../../../protocol/tls-report.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import type { Resolver } from '../../runtime/dns/resolver.ts'
import { Infrastructure } from '../../runtime/errors.ts'
import type { Bucket } from '../../runtime/kv.ts'
import type { Log } from '../../runtime/log.ts'

/** What a crash may cost a statistic. */
const KEEP_EVERY_MS = 30_000
/** The day's object is made within a quarter of an hour after midnight; the counts stay for who asks later. */
const KEPT_S = 4 * 86_400
/** Look-ups under way at once; sessions beyond go uncounted. */
const LOOKUPS_MOST = 500
const REFUSED_EVERY_MS = 60_000
const REFUSED_MOST = 1_000

/** Counts this sender's sessions by policy domain and day, for the domains that ask for reports; kept as one value a day in bucket `policies`. */
export class TlsReporter implements AsyncDisposable {
  readonly #resolver: Pick<Resolver, 'txt'>
  readonly #bucket: Bucket
  readonly #sender: string
  readonly #wall: () => EpochMs
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  readonly #lookups = new Set<Promise<void>>()
  readonly #refusedAt = new Map<string, EpochMs>()
  #counts: TlsCounts
  #changed = false
  #keeping: Promise<void> = Promise.resolve()

  constructor(options: { resolver: Pick<Resolver, 'txt'>; bucket: Bucket; sender: string; wall: () => EpochMs; log: Log }) {
    this.#resolver = options.resolver
    this.#bucket = options.bucket
    this.#sender = options.sender
    this.#wall = options.wall
    this.#log = options.log
    this.#counts = noCounts(dayOf(options.wall()))
    this.#timer = setInterval(() => this.#keepSoon(), KEEP_EVERY_MS)
  }

  seen(session: SessionSeen): void {
    if (this.#lookups.size >= LOOKUPS_MOST) return
    const counting = this.#count(session).finally(() => this.#lookups.delete(counting))
    this.#lookups.add(counting)
  }

  /** A host that was not even called: its mail comes again and again, so it counts once a minute. */
  refused(shown: PolicyShown, trouble: TlsTrouble, mx: string): void {
    const key = `${shown.domain} ${mx} ${trouble}`
    const now = this.#wall()
    if (now < (this.#refusedAt.get(key) ?? 0) + REFUSED_EVERY_MS) return
    this.#refusedAt.delete(key)
    this.#refusedAt.set(key, now)
    const oldest = this.#refusedAt.keys().next()
    if (this.#refusedAt.size > REFUSED_MOST && !oldest.done) this.#refusedAt.delete(oldest.value)
    this.seen({ shown, trouble, ip: '', mx })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#lookups)
    this.#keepSoon()
    await this.#keeping
  }

  async #count(session: SessionSeen): Promise<void> {
    const { rcode, records } = await this.#resolver.txt(`_smtp._tls.${session.shown.domain}`)
    const rua = rcode === 'NOERROR' ? reportAddresses(records) : []
    if (rua.length === 0) return
    const day = dayOf(this.#wall())
    if (this.#counts.day !== day) {
      this.#keepSoon()
      this.#counts = noCounts(day)
    }
    countSession(this.#counts, session, rua)
    this.#changed = true
  }

  /** One write after the other, each of what the counts are when its turn comes at the latest. */
  #keepSoon(): void {
    if (!this.#changed) return
    this.#changed = false
    const counts = this.#counts
    this.#keeping = this.#keeping.then(() => this.#keep(counts))
  }

  async #keep(counts: TlsCounts): Promise<void> {
    try {
      await this.#bucket.put(KEYS.tlsCounts(counts.day, this.#sender), encodeJson(counts), { ttlS: KEPT_S })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#changed = true // with the next round
      this.#log.warn('tls counts not stored', { error: error.message })
    }
  }
}
