import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { DkimKeysRow, MissingKeys } from '../../protocol/messages/dkim-keys.ts'
import type { MonoMs } from '../../protocol/words.ts'
import { type DkimKey, dkimRowsOf, keyId, keyName, keysFor, loadDkimKeys } from '../content/dkim-keys.ts'
import { sightOf } from '../content/preflight/dkim.ts'
import type { Clock } from '../runtime/clock.ts'
import { foundIn } from '../runtime/dns/look-up.ts'
import type { Resolver } from '../runtime/dns/resolver.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { ENDED, type Running } from './campaigns.ts'
import { EVERYWHERE } from './policy/site-holds.ts'
import { type LookTimes, lookAgainAfterMs, onlyOf, type Seen, see, whyUnsigned } from './policy/shown-keys.ts'

/** `waitingFor[].because` of a campaign whose From no key in DNS signs for */
export const NO_KEY = 'dkim-key'
/** which keys are due to be asked for is looked at so often */
const TURN_MS = 60_000
/** small campaigns come and go between two turns: a From is looked after for so long since it was used */
const USED_FOR_MS = 2 * 3_600_000
/** (tenant, From domain) remembered at once */
const REMEMBERED = 10_000

interface KeyKeeperOptions {
  readonly bucket: Bucket
  readonly resolver: () => Pick<Resolver, 'txt'>
  readonly fleet: () => FleetRecord | null
  readonly campaigns: { all(): Iterable<Running> }
  readonly hold: (running: Running, says: string) => Promise<void>
  readonly letGo: (running: Running) => Promise<void>
  /** repeats what only the network hinders */
  readonly again: <T>(act: () => Promise<T>) => Promise<T>
  readonly clock: Clock
  readonly log: Log
  readonly times: LookTimes
}

/**
 * Asks DNS for the DKIM keys of whom mail is being sent as, and keeps what it learns in key `dkim-keys` of bucket `campaigns`, by which senders choose.
 * A campaign for whose From no RSA key is left is held everywhere, and let go when DNS shows one again.
 */
export class KeyKeeper implements Disposable {
  readonly #options: KeyKeeperOptions
  #missing: MissingKeys
  #revision: number
  #keys: { readonly revision: number; readonly keys: readonly DkimKey[] } | null = null
  /** when each key is asked for next */
  readonly #askAt = new Map<string, MonoMs>()
  readonly #used = new Map<string, { readonly tenant: string; readonly fromDomain: string; readonly at: MonoMs }>()
  #timer: NodeJS.Timeout | null = null
  #closed = false

  private constructor(options: KeyKeeperOptions, kept: { readonly missing: MissingKeys; readonly revision: number }) {
    this.#options = options
    this.#missing = kept.missing
    this.#revision = kept.revision
  }

  static async open(options: KeyKeeperOptions): Promise<KeyKeeper> {
    return new KeyKeeper(options, await readRow(options.bucket))
  }

  /** The first turn now, then one a minute until disposed. */
  begin(): void {
    void this.look()
      .catch((error: unknown) => {
        if (!this.#closed) throw error // the connection is let go of at the end
      })
      .then(() => {
        if (!this.#closed) this.#timer = setTimeout(() => this.begin(), Math.min(TURN_MS, this.#options.times.againMs))
      })
  }

  /** Why nothing of the campaign may be signed now; null = it may go. */
  whyHeld({ record }: Running): string | null {
    if (record.from === undefined) return null
    return whyUnsigned(this.#known(), { tenant: record.tenant, fromDomain: record.from, at: record.startAt }, this.#missing)
  }

  /** Its keys are looked after from the next turn on. */
  use({ tenant, from }: Pick<CampaignRecord, 'tenant' | 'from'>): void {
    if (from === undefined) return
    const name = `${tenant} ${from}`
    this.#used.delete(name)
    this.#used.set(name, { tenant, fromDomain: from, at: this.#options.clock.mono() })
    const [oldest] = this.#used.keys()
    if (this.#used.size > REMEMBERED && oldest !== undefined) this.#used.delete(oldest)
  }

  async look(): Promise<void> {
    const { campaigns, again } = this.#options
    for (const { record } of campaigns.all()) this.use(record)
    await this.#holdOrLetGo() // by what is known: DNS may take its time
    const missing = await this.#askDns()
    if (this.#closed || missing === this.#missing || !(await again(() => this.#save(missing)))) return
    await this.#holdOrLetGo()
  }

  async #holdOrLetGo(): Promise<void> {
    const { campaigns, again, hold, letGo, log } = this.#options
    for (const running of [...campaigns.all()]) {
      if (this.#closed) return
      if (ENDED.has(running.record.state) || running.record.state === 'cancelling') continue
      const standing = running.record.heldSites?.[EVERYWHERE]
      const why = this.whyHeld(running)
      if (why !== null && standing === undefined) {
        log.warn('no key in DNS signs', { campaign: campaignName(running.record), because: why })
        await again(() => hold(running, why))
      } else if (why === null && standing?.because === NO_KEY) await again(() => letGo(running))
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** What is known once the keys that are due have been asked for. */
  async #askDns(): Promise<MissingKeys> {
    const { clock, resolver, times, log } = this.#options
    const all = this.#known()
    const due = this.#inUse(all).filter((key) => (this.#askAt.get(keyId(key)) ?? 0) <= clock.mono())
    const ask = resolver()
    const answers = await Promise.all(due.map(async (key) => ({ key, seen: await lookAt(key, ask) })))
    let missing = onlyOf(this.#missing, all)
    for (const { key, seen } of answers) {
      const id = keyId(key)
      this.#askAt.set(id, clock.mono() + lookAgainAfterMs(seen, times))
      const before = missing
      missing = see(missing, id, seen, clock.now(), times)
      if (missing !== before) log.warn('dkim key', { key: keyName(key), ...(missing[id] ?? { because: 'DNS shows it again', gone: false }) })
    }
    return missing
  }

  /** Keys of whom mail was sent as lately, and those that DNS denied. */
  #inUse(all: readonly DkimKey[]): readonly DkimKey[] {
    const since = this.#options.clock.mono() - USED_FOR_MS
    const keys = new Set(all.filter((key) => this.#missing[keyId(key)] !== undefined))
    for (const [name, used] of this.#used) {
      if (used.at < since) this.#used.delete(name)
      else for (const key of keysFor(all, used)) keys.add(key)
    }
    const ids = new Set([...keys].map(keyId))
    for (const id of this.#askAt.keys()) if (!ids.has(id)) this.#askAt.delete(id)
    return [...keys]
  }

  /** False: somebody else wrote it, or an answer was lost; the next turn decides by what stands there. */
  async #save(missing: MissingKeys): Promise<boolean> {
    const { bucket } = this.#options
    const revision = await bucket.update(KEYS.dkimKeys, encode({ v: 1, missing } satisfies DkimKeysRow), this.#revision)
    const kept = revision === null ? await readRow(bucket) : { missing, revision }
    this.#missing = kept.missing
    this.#revision = kept.revision
    return revision !== null
  }

  /** The fleet's keys; none where `[preflight] off` says that DNS is not asked. Reading keys costs milliseconds each: once a document. */
  #known(): readonly DkimKey[] {
    const record = this.#options.fleet()
    if (record === null || record.fleet.preflight?.off) return []
    if (this.#keys?.revision !== record.revision) this.#keys = { revision: record.revision, keys: loadDkimKeys(dkimRowsOf(record.fleet)).keys }
    return this.#keys.keys
  }
}

async function readRow(bucket: Bucket): Promise<{ readonly missing: MissingKeys; readonly revision: number }> {
  const kept = await bucket.get(KEYS.dkimKeys)
  return kept === null ? { missing: {}, revision: 0 } : { missing: decode<DkimKeysRow>(kept.value).missing, revision: kept.revision }
}

async function lookAt(key: DkimKey, resolver: Pick<Resolver, 'txt'>): Promise<Seen> {
  const answer = await resolver.txt(keyName(key))
  return { ...sightOf(foundIn(answer), key.dnsRecord), ttlMs: answer.ttlS * 1_000 }
}
