/**
 * reign: what the owner does from the moment it owns until it lets go.
 *
 * INVARIANT  nothing is lent, told or ordered before the journal is counted to its end; nothing is lent once ownership is in doubt (S3)
 */
import { decode, encode } from '../../protocol/codec.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { AllowanceAnswers, AllowanceAsk, AllowanceAsks, Allowances, Complained } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Call, Follow, StoredMessage } from '../runtime/bus/types.ts'
import { openBucket } from '../runtime/kv.ts'
import type { IpManagerContext } from './config.ts'
import { type DnsblWatch, watchDnsbl } from './dnsbl-watch.ts'
import { Events } from './events.ts'
import { openFleetDoor, readFleet } from './fleet-door.ts'
import type { Counters } from './gauges.ts'
import { openIpDoor } from './ip-door.ts'
import { keepMemory } from './memory-keeper.ts'
import { followOutcomes, readChunk } from './outcome-reader.ts'
import { allow } from './policy/allow.ts'
import { fleetView } from './policy/fleet-view.ts'
import { hearHolder } from './policy/holders.ts'
import { fromMemory, toMemory } from './policy/memory.ts'
import { newFleet } from './policy/new-fleet.ts'
import { complainedAbout, observe, type SeenChunk } from './policy/observe.ts'
import { pass } from './policy/pass.ts'
import { restate } from './policy/restate.ts'
import type { Say } from './policy/says.ts'
import { tenantShares } from './policy/tenant-shares.ts'
import { type PtrWatch, watchPtr } from './ptr-watch.ts'
import { keepShares } from './shares-keeper.ts'
import { countPairs, type Manager, newManager } from './state.ts'

/** An allowance, from the router's tick: as long as a lease (design §6). Routers ask every second. */
const ALLOWANCE_MS = 4_000

export interface Reign extends AsyncDisposable {
  readonly manager: Manager
  newFleet(record: FleetRecord): void
}

/** Null when a newer owner was faster. */
export async function startReign(
  context: IpManagerContext,
  term: { readonly epoch: number; readonly counters: Counters; readonly mayGrant: () => boolean; readonly crash: (error: unknown) => void },
): Promise<Reign | null> {
  const { bus, log, clock, config } = context
  await using stack = new AsyncDisposableStack()
  const events = stack.use(new Events({ bus, log, epoch: term.epoch, counters: term.counters }))

  const fleet = await readFleet(openBucket(bus, 'fleet'))
  let revision = fleet?.record.revision ?? 0
  const manager = newManager(fleetView(fleet?.record.fleet ?? null), config.pairsMost)
  let fenced = false
  const keeper = await keepMemory({
    bucket: openBucket(bus, 'reputation'),
    epoch: term.epoch,
    everyMs: config.saveEveryMs,
    mono: clock.mono,
    log,
    take() {
      if (!manager.changed) return null
      manager.changed = false
      return toMemory(manager)
    },
    giveBack() {
      manager.changed = true
    },
    onFenced() {
      fenced = true
      log.warn('memory-fenced', { epoch: term.epoch })
    },
  })
  if (keeper === null) return null
  stack.use(keeper)
  if (keeper.loaded !== null) fromMemory(manager, keeper.loaded)
  const shares = stack.use(await keepShares({ bucket: openBucket(bus, 'reputation'), log, mayWrite: () => term.mayGrant() && !fenced }))
  events.owned({ position: manager.position, ips: manager.fleet.ips.size, pairs: countPairs(manager) })

  // -- time
  let timer: NodeJS.Timeout | undefined
  let armedFor = Number.NaN
  let toldShares = -1
  let dnsbl: DnsblWatch | null = null
  let ptr: PtrWatch | null = null
  let letGo = false
  stack.defer(() => clearTimeout(timer))
  const passNow = () => say(pass(manager, clock.now()))
  const wake = () => {
    armedFor = Number.NaN // a timer that fired a moment too early is armed again
    passNow()
  }
  /** Everything that decides ends here: what it wants said, and the next moment of its own. */
  function say(says: readonly Say[]): void {
    events.tell(manager.hearingSince === null ? says.filter((one) => one.say !== 'changed') : says)
    if (manager.hearingSince === null) return
    if (toldShares !== manager.halvedTimes) shares.tell(tenantShares(manager))
    toldShares = manager.halvedTimes
    if (manager.wakeAt === armedFor) return
    clearTimeout(timer)
    armedFor = manager.wakeAt
    timer = setTimeout(wake, Math.max(10, armedFor - clock.now()))
  }

  // -- the journal
  const follow = followOutcomes(bus, manager.position)
  const began = clock.mono()
  const reading = count(follow, manager, events, term.counters, say).catch(term.crash)
  stack.defer(async () => {
    follow.close()
    await reading
  })
  const ready = follow.caughtUp.then(() => {
    manager.hearingSince = clock.now()
    events.caughtUp({ position: manager.position, ms: Math.round(clock.mono() - began) })
    passNow()
    say(restate(manager))
    if (letGo) return
    dnsbl = watchDnsbl({ clock, manager, say, crash: term.crash })
    ptr = watchPtr({ clock, manager, say, crash: term.crash })
  })
  stack.defer(async () => {
    letGo = true
    await Promise.all([dnsbl?.[Symbol.asyncDispose](), ptr?.[Symbol.asyncDispose]()])
  })

  // -- the doors
  const takeFleet = (record: FleetRecord) => {
    if (record.revision <= revision) return
    revision = record.revision
    say(newFleet(manager, fleetView(record.fleet), clock.now()))
    dnsbl?.newFleet()
    void ptr?.newFleet()
  }
  stack.use(openFleetDoor({ bus, clock, events, applied: takeFleet }))
  stack.use(openIpDoor({ bus, clock, manager, events, ready, pass: passNow, say, save: () => keeper.save() }))
  stack.use(bus.serve(subject('allowance', {}), answerAsk))
  stack.use(bus.hear(subject('complained', {}), ({ body }) => hearComplaint(decode<Complained>(body))))

  function hearComplaint({ ip, site }: Complained): void {
    // Before the journal is read to its end the mail it speaks of may not be counted yet.
    if (manager.hearingSince === null || fenced) return
    passNow()
    complainedAbout(manager, ip, site)
  }

  function answerAsk(call: Call): void {
    // No answer is an answer: the router asks again in a second, and what it was allowed runs out.
    if (manager.hearingSince === null || fenced || !term.mayGrant()) return
    const said = decode<AllowanceAsk | AllowanceAsks>(call.body)
    passNow()
    if ('asks' in said) call.reply(encode({ answers: said.asks.map(answerTo) } satisfies AllowanceAnswers))
    else call.reply(encode(answerTo(said)))
  }

  function answerTo(ask: AllowanceAsk): Allowances {
    hearHolder(manager, ask, clock.now())
    return { epoch: term.epoch, tick: ask.tick, ms: ALLOWANCE_MS, allowances: allow(manager, ask.sites), manyAsks: true }
  }

  const owned = stack.move()
  return { manager, newFleet: takeFleet, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function count(follow: Follow, manager: Manager, events: Events, counters: Counters, say: (says: readonly Say[]) => void): Promise<void> {
  for await (const message of follow) {
    const chunk = read(message, events)
    counters.counted(chunk.seen.length)
    say(observe(manager, chunk))
  }
}

/** What cannot be understood counts nothing, is told with its sequence and stays in the journal. */
function read(message: StoredMessage, events: Events): SeenChunk {
  try {
    return readChunk(message)
  } catch (error) {
    events.unreadable({ seq: message.seq, subject: message.subject, because: String(error) })
    return { seq: message.seq, at: message.at, tenant: '', seen: [] }
  }
}
