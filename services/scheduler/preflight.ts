/**
 * preflight: asks DNS what receivers will ask it, before a campaign is accepted and once a day for the whole fleet (delivery.md §2).
 *
 * INVARIANT  what DNS does not say rejects nobody; urgent mail waits for it a second at most
 */
import type { Problem } from '../../protocol/campaign.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { Kind } from '../../protocol/words.ts'
import { type DkimKey, dkimRowsOf, loadDkimKeys } from '../content/dkim-keys.ts'
import { campaignChecks, type Finding, fleetChecks, headerSpfProblem, preflightProblems, runCheck } from '../content/preflight.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { lookUpBy } from '../runtime/dns/look-up.ts'
import type { Resolver } from '../runtime/dns/resolver.ts'
import type { Log } from '../runtime/log.ts'
import type { Running } from './campaigns.ts'
import { contentOf } from './content-of.ts'

export interface Asked {
  readonly tenant: string
  readonly kind: Kind
  readonly pool: string
  readonly from: string
}

/** Answers are shared by the campaigns of a moment; what is not well is asked again soon, since somebody is mending it. */
const WELL_FOR_MS = 60_000
const UNWELL_FOR_MS = 5_000
/** Who will not be rejected anyway waits no longer for a warning. */
const WARNED_WITHIN_MS = 1_000
const DAY_MS = 86_400_000
/** (tenant, domain, pool) remembered at once */
const REMEMBERED = 1_000

export class Preflight implements Disposable {
  readonly #bus: Bus
  readonly #resolver: () => Resolver
  readonly #fleet: () => FleetRecord | null
  readonly #clock: Clock
  readonly #log: Log
  readonly #known = new Map<string, { readonly findings: Promise<readonly Finding[]>; until: number }>()
  #keys: { readonly revision: number; readonly keys: readonly DkimKey[] } | null = null
  readonly #campaigns: { all(): Iterable<Running> }
  readonly #refuse: (running: Running, problems: readonly Problem[]) => Promise<void>
  readonly #daily: NodeJS.Timeout
  #closed = false

  constructor(options: {
    bus: Bus
    resolver: () => Resolver
    fleet: () => FleetRecord | null
    campaigns: { all(): Iterable<Running> }
    refuse: (running: Running, problems: readonly Problem[]) => Promise<void>
    clock: Clock
    log: Log
  }) {
    this.#bus = options.bus
    this.#resolver = options.resolver
    this.#fleet = options.fleet
    this.#clock = options.clock
    this.#log = options.log
    this.#campaigns = options.campaigns
    this.#refuse = options.refuse
    this.#daily = setInterval(() => {
      void this.daily().catch((error: unknown) => {
        if (!this.#closed) throw error // the connection is let go of at the end
      })
    }, DAY_MS)
  }

  /** What speaks against the campaign, and what is only said. */
  async judge(asked: Asked): Promise<{ readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }> {
    const findings = this.#of(asked)
    const heard = asked.kind === 'marketing' ? await findings : await within(findings, WARNED_WITHIN_MS)
    return preflightProblems(heard, asked.kind)
  }

  /** Why marketing to many people of docomo, au and softbank cannot be sent; null when it can. */
  async headerSpf(record: CampaignRecord): Promise<Problem | null> {
    if (record.kind !== 'marketing' || (this.#fleet()?.fleet.preflight?.off ?? true)) return null
    const { content } = await contentOf(this.#bus, record)
    return headerSpfProblem(await this.#of({ ...record, from: content.from.address }))
  }

  /** The fleet, and marketing that has not begun: what was ready when it was accepted need not be when its day comes. What is on its way goes on. */
  async daily(): Promise<void> {
    await this.lookAtFleet()
    for (const running of [...this.#campaigns.all()]) {
      const { record } = running
      if (record.kind !== 'marketing' || record.state !== 'scheduled' || record.from === undefined || this.#closed) continue
      const { problems } = await this.judge({ ...record, from: record.from })
      if (problems.length > 0 && running.record.state === 'scheduled' && !this.#closed) await this.#refuse(running, problems)
    }
  }

  /** Every domain, return path and IP once: what is not well is told in the log, a line each. */
  async lookAtFleet(): Promise<readonly Finding[]> {
    const record = this.#fleet()
    if (record === null || record.fleet.preflight?.off) return []
    const lookUp = lookUpBy(this.#resolver())
    const found = (await Promise.all(fleetChecks(record.fleet, this.#keysOf(record), this.#clock.now()).map((check) => runCheck(check, lookUp)))).flat()
    if (this.#closed) return found
    const unwell = found.filter(({ verdict }) => verdict === 'bad' || verdict === 'warning')
    this.#log.info('preflight', { looked: found.length, unwell: unwell.length, unknown: found.filter(({ verdict }) => verdict === 'unknown').length })
    for (const { about, of, verdict, message, publish } of unwell)
      this.#log.warn('preflight-unwell', { about, of, verdict, message, ...(publish && { publish: `${publish.name} ${publish.type} ${publish.text}` }) })
    return found
  }

  [Symbol.dispose](): void {
    this.#closed = true
    clearInterval(this.#daily)
  }

  #of({ tenant, pool, from }: Asked): Promise<readonly Finding[]> {
    const record = this.#fleet()
    if (record === null || record.fleet.preflight?.off) return Promise.resolve([])
    const fromDomain = from.slice(from.lastIndexOf('@') + 1).toLowerCase()
    const key = [record.revision, tenant, pool, fromDomain].join(' ')
    const known = this.#known.get(key)
    if (known !== undefined && known.until > this.#clock.mono()) return known.findings
    const lookUp = lookUpBy(this.#resolver())
    const checks = campaignChecks({ fleet: record.fleet, fromDomain, pool, keys: this.#keysOf(record), tenant, at: this.#clock.now() })
    const findings = Promise.all(checks.map((check) => runCheck(check, lookUp))).then((all) => all.flat())
    const entry = { findings, until: Number.POSITIVE_INFINITY }
    this.#known.delete(key)
    this.#known.set(key, entry)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break
      this.#known.delete(oldest)
    }
    void findings.then((all) => {
      entry.until = this.#clock.mono() + (all.every(({ verdict }) => verdict === 'good') ? WELL_FOR_MS : UNWELL_FOR_MS)
    })
    return findings
  }

  /** Reading keys costs milliseconds each: once a document. */
  #keysOf({ revision, fleet }: FleetRecord): readonly DkimKey[] {
    if (this.#keys?.revision !== revision) this.#keys = { revision, keys: loadDkimKeys(dkimRowsOf(fleet)).keys }
    return this.#keys.keys
  }
}

async function within(findings: Promise<readonly Finding[]>, ms: number): Promise<readonly Finding[]> {
  const { promise, resolve } = Promise.withResolvers<readonly Finding[]>()
  const timer = setTimeout(() => resolve([]), ms)
  try {
    return await Promise.race([findings, promise])
  } finally {
    clearTimeout(timer)
  }
}
