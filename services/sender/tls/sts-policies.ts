import { KEYS } from '../../../protocol/buckets.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import type { Resolver } from '../../runtime/dns/resolver.ts'
import { Infrastructure } from '../../runtime/errors.ts'
import type { Bucket, Watch } from '../../runtime/kv.ts'
import type { Log } from '../../runtime/log.ts'
import { announcedId, type StsPolicy } from '../policy/tls/mta-sts.ts'
import { liveAt, type StsKnown, stsStep } from '../policy/tls/sts-memory.ts'
import type { Fetched } from './sts-fetch.ts'

/** Domains whose policy, or lack of one, this process has at hand; ~300 bytes each. The bucket behind it has them all. */
const DOMAINS_REMEMBERED = 20_000

interface Entry {
  known: StsKnown | null
  failedAt: EpochMs | null
  /** why the last fetch failed, for reports */
  failure: Extract<Fetched, { trouble: unknown }> | null
  fetching: Promise<void> | null
}

export interface StsAnswer {
  readonly policy: StsPolicy | null
  readonly failure: Entry['failure']
}

/**
 * MTA-STS policies: remembered here for the domains of late, and in bucket `policies` for all senders and beyond this process's life: a policy that a
 * restart forgets protects from nobody who waits for one (RFC 8461 10.2).
 */
export class StsPolicies implements Disposable {
  readonly #resolver: Pick<Resolver, 'txt'>
  readonly #bucket: Bucket
  readonly #fetch: (domain: string, id: string) => Promise<Fetched>
  readonly #wall: () => EpochMs
  readonly #log: Log
  readonly #entries = new Map<string, Promise<Entry>>()
  /** Domains that have a policy in the bucket, a few thousand names: all others need not be looked for there, and most have none. */
  readonly #kept = new Set<string>()
  readonly #watch: Watch

  constructor(options: {
    resolver: Pick<Resolver, 'txt'>
    bucket: Bucket
    fetch: (domain: string, id: string) => Promise<Fetched>
    wall: () => EpochMs
    log: Log
  }) {
    this.#resolver = options.resolver
    this.#bucket = options.bucket
    this.#fetch = options.fetch
    this.#wall = options.wall
    this.#log = options.log
    this.#watch = this.#bucket.watch(KEYS.stsPolicies, ({ key, value }) => {
      if (value === null) this.#kept.delete(key)
      else this.#kept.add(key)
    })
  }

  [Symbol.dispose](): void {
    this.#watch.close()
  }

  /** The policy that binds mail to this domain now, `domain` as DNS writes it. Waits for the policy host only where nothing usable is known. */
  async of(domain: string): Promise<StsAnswer> {
    const [entry, txt] = await Promise.all([this.#entry(domain), this.#resolver.txt(`_mta-sts.${domain}`)])
    const id = txt.rcode === 'NOERROR' ? announcedId(txt.records) : null
    const step = stsStep(entry.known, id, entry.failedAt, this.#wall())
    if (step !== 'keep' && id !== null) {
      entry.fetching ??= this.#refresh(domain, id, entry).finally(() => {
        entry.fetching = null
      })
      if (step === 'fetch') await entry.fetching
    }
    const live = liveAt(entry.known, this.#wall())
    return { policy: live === null || live.policy.mode === 'none' ? null : live.policy, failure: id === null ? null : entry.failure }
  }

  #entry(domain: string): Promise<Entry> {
    const known = this.#entries.get(domain)
    this.#entries.delete(domain)
    const entry = known ?? this.#remembered(domain).then((found) => ({ known: found, failedAt: null, failure: null, fetching: null }))
    this.#entries.set(domain, entry)
    if (this.#entries.size > DOMAINS_REMEMBERED) {
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
    return entry
  }

  async #remembered(domain: string): Promise<StsKnown | null> {
    await this.#watch.caughtUp
    const key = KEYS.stsPolicy(domain)
    if (!this.#kept.has(key)) return null
    try {
      const kept = await this.#bucket.get(key)
      return kept === null ? null : (JSON.parse(new TextDecoder().decode(kept.value)) as StsKnown)
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#entries.delete(domain) // asked again for the next mail; without NATS none is sent anyway
      return null
    }
  }

  async #refresh(domain: string, id: string, entry: Entry): Promise<void> {
    const fetched = await this.#fetch(domain, id)
    if ('trouble' in fetched) {
      entry.failedAt = this.#wall()
      entry.failure = fetched
      this.#log.warn('sts-policy-unreachable', { domain, problem: fetched.problem, kept: entry.known !== null })
      return
    }
    entry.known = { policy: fetched, fetchedAt: this.#wall() }
    entry.failedAt = null
    entry.failure = null
    this.#log.info('sts-policy', { domain, mode: fetched.mode, mx: fetched.mx.slice(0, 10), maxAgeS: fetched.maxAgeS })
    try {
      const body = new TextEncoder().encode(JSON.stringify(entry.known))
      await this.#bucket.put(KEYS.stsPolicy(domain), body, { ttlS: Math.max(1, fetched.maxAgeS) })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#log.warn('sts-policy not stored', { domain, error: error.message })
    }
  }
}
