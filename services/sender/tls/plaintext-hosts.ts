import { KEYS } from '../../../protocol/buckets.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import { Infrastructure } from '../../runtime/errors.ts'
import type { Bucket } from '../../runtime/kv.ts'
import type { Log } from '../../runtime/log.ts'

/** delivery.md §5 */
const PLAINTEXT_MS = 3 * 86_400_000
const HOSTS_REMEMBERED = 20_000

/**
 * Hosts whose STARTTLS broke: greeted without it for three days, where row and policies allow that. What one sender learns all know, those that start
 * later too: a failed handshake costs a connection, and many servers count those.
 */
export class PlaintextHosts implements Disposable {
  readonly #bucket: Bucket
  readonly #wall: () => EpochMs
  readonly #log: Log
  readonly #until = new Map<string, EpochMs>()
  readonly #watch: Disposable & { readonly caughtUp: Promise<void> }

  constructor(options: { bucket: Bucket; wall: () => EpochMs; log: Log }) {
    this.#bucket = options.bucket
    this.#wall = options.wall
    this.#log = options.log
    const watch = this.#bucket.watch(KEYS.plaintextHosts, ({ value }) => {
      if (value === null) return // its time was over, as `has` knows by itself
      const { host, until } = JSON.parse(new TextDecoder().decode(value)) as Kept
      this.#remember(host, until)
    })
    this.#watch = { caughtUp: watch.caughtUp, [Symbol.dispose]: () => watch.close() }
  }

  /** resolves once what others learnt before is known */
  get ready(): Promise<void> {
    return this.#watch.caughtUp
  }

  has(host: string): boolean {
    return (this.#until.get(host) ?? 0) > this.#wall()
  }

  async broke(host: string): Promise<void> {
    const until = this.#wall() + PLAINTEXT_MS
    this.#remember(host, until)
    try {
      const kept: Kept = { host, until }
      await this.#bucket.put(KEYS.plaintextHost(host.replaceAll(':', '-')), new TextEncoder().encode(JSON.stringify(kept)), { ttlS: PLAINTEXT_MS / 1_000 })
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      this.#log.warn('tls-broken not stored', { host, error: error.message }) // the others find out by themselves
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]()
  }

  #remember(host: string, until: EpochMs): void {
    this.#until.delete(host)
    this.#until.set(host, until)
    if (this.#until.size > HOSTS_REMEMBERED) {
      const oldest = this.#until.keys().next()
      if (!oldest.done) this.#until.delete(oldest.value)
    }
  }
}

interface Kept {
  readonly host: string
  readonly until: EpochMs
}
