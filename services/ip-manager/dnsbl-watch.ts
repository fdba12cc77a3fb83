/**
 * dnsbl-watch: looks our addresses up in the block lists of the fleet file, each zone at its own pace.
 *
 * NOTE: a resolver of its own for each round, without a memory: an answer that is remembered is no second sighting.
 */
import type { Clock } from '../runtime/clock.ts'
import { createResolver, type Resolver } from '../runtime/dns/resolver.ts'
import type { DnsblConfig } from '../../protocol/dnsbl-config.ts'
import { CLEAN_TEST, LISTED_TEST, nextRoundMs, questionOf, type Round, UNKNOWN_ZONE } from './policy/dnsbl.ts'
import { hearZone } from './policy/hear-zone.ts'
import type { Say } from './policy/says.ts'
import type { Manager } from './state.ts'

export interface DnsblWatchOptions {
  readonly clock: Clock
  readonly manager: Manager
  say(says: readonly Say[]): void
  crash(error: unknown): void
}

export interface DnsblWatch extends AsyncDisposable {
  /** another fleet document: its zones are looked at from now on */
  newFleet(): void
}

/** questions to one zone under way at once: lists throttle who asks in bursts */
const AT_ONCE = 20

export function watchDnsbl({ clock, manager, say, crash }: DnsblWatchOptions): DnsblWatch {
  const zones = new Map<string, { timer: NodeJS.Timeout | null; every: number }>()
  const rounds = new Set<Promise<void>>()
  let closed = false

  function start(row: DnsblConfig): void {
    const standing = zones.get(row.zone)
    if (standing !== undefined && standing.every === row.every) return
    if (standing?.timer) clearTimeout(standing.timer)
    const entry = { timer: null, every: row.every }
    zones.set(row.zone, entry)
    look(row.zone, entry)
  }

  function look(zone: string, entry: { timer: NodeJS.Timeout | null; every: number }): void {
    entry.timer = null
    const round = roundOf(zone)
      .then((heard) => {
        const row = manager.fleet.zones.get(zone)
        if (closed || row === undefined || zones.get(zone) !== entry) return
        say(hearZone(manager, zone, heard, clock.now()))
        entry.timer = setTimeout(() => look(zone, entry), nextRoundMs(manager.zones.get(zone) ?? UNKNOWN_ZONE, row))
      })
      .catch(crash)
      .finally(() => rounds.delete(round))
    rounds.add(round)
  }

  async function roundOf(zone: string): Promise<Round> {
    await using resolver = createResolver({ servers: manager.fleet.dns, now: clock.mono, cacheMax: 0 })
    const addresses = new Map<string, readonly string[] | null>()
    const left = [...manager.fleet.ips.keys()]
    const asker = async (): Promise<void> => {
      for (let address = left.shift(); address !== undefined; address = left.shift()) addresses.set(address, await ask(resolver, address, zone))
    }
    const [listedTest, cleanTest] = await Promise.all([
      ask(resolver, LISTED_TEST, zone),
      ask(resolver, CLEAN_TEST, zone),
      ...Array.from({ length: AT_ONCE }, asker),
    ])
    return { listedTest: listedTest ?? null, cleanTest: cleanTest ?? null, addresses }
  }

  function newFleet(): void {
    for (const [zone, entry] of zones) {
      if (manager.fleet.zones.has(zone)) continue
      if (entry.timer !== null) clearTimeout(entry.timer)
      zones.delete(zone)
    }
    for (const row of manager.fleet.zones.values()) start(row)
  }

  newFleet()
  return {
    newFleet,
    async [Symbol.asyncDispose]() {
      closed = true
      for (const { timer } of zones.values()) if (timer !== null) clearTimeout(timer)
      await Promise.all(rounds)
    },
  }
}

/** Its A records; null when DNS does not say. */
async function ask(resolver: Resolver, address: string, zone: string): Promise<readonly string[] | null> {
  const name = questionOf(address, zone)
  if (name === null) return null
  const answer = await resolver.resolve(name, 'A')
  return answer.rcode === 'NOERROR' || answer.rcode === 'NXDOMAIN' ? answer.records : null
}
