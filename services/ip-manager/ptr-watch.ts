/**
 * ptr-watch: an IPv6 address sends only while its PTR resolves back (delivery.md §7): the large providers refuse every mail of one that does not.
 *
 * NOTE: IPv4 is preflight's (marketing is rejected at the door): receivers differ there, and a person decides. What DNS does not say changes nothing.
 */
import { runCheck } from '../content/preflight.ts'
import { checkSource } from '../content/preflight/source.ts'
import type { Clock } from '../runtime/clock.ts'
import { lookUpBy } from '../runtime/dns/look-up.ts'
import { createResolver } from '../runtime/dns/resolver.ts'
import { hearPtr } from './policy/ipv6-ptr.ts'
import type { Say } from './policy/says.ts'
import type { Manager } from './state.ts'

export interface PtrWatchOptions {
  readonly clock: Clock
  readonly manager: Manager
  say(says: readonly Say[]): void
  crash(error: unknown): void
}

export interface PtrWatch extends AsyncDisposable {
  /** another fleet document: its addresses are looked at now; resolves when they were */
  newFleet(): Promise<void>
}

/** How long a change in DNS may take to be noticed: records of this kind are kept for an hour at least by most. */
const EVERY_MS = 3_600_000

export function watchPtr({ clock, manager, say, crash }: PtrWatchOptions): PtrWatch {
  let closed = false
  let looking: Promise<void> = Promise.resolve()
  const newFleet = () => {
    looking = looking.then(look).catch(crash)
    return looking
  }
  const timer = setInterval(() => void newFleet(), EVERY_MS)

  async function look(): Promise<void> {
    const { ips, preflightOff, dns } = manager.fleet
    const six = preflightOff ? [] : [...ips.values()].filter(({ address }) => address.includes(':'))
    if (six.length === 0 || closed) return
    await using resolver = createResolver({ servers: dns, now: clock.mono })
    const found = (await Promise.all(six.map((ip) => runCheck(checkSource(ip), lookUpBy(resolver))))).flat()
    if (!closed) say(found.flatMap((finding) => hearPtr(manager, finding, clock.now())))
  }

  void newFleet()
  return {
    newFleet,
    async [Symbol.asyncDispose]() {
      closed = true
      clearInterval(timer)
      await looking
    },
  }
}
