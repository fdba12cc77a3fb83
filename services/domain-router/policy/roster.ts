import type { GrantAnswer, Report, SenderHere } from '../../../protocol/messages/permission.ts'
import type { MonoMs } from '../../../protocol/words.ts'
import { FORGET_SENDER_MS, FRESH_TICK_MS, GRANT_TIMEOUT_MS, HERE_SILENT_MS, SOON_MS } from './numbers.ts'

/** A sender as this process last heard it. */
export interface Sender {
  readonly id: string
  /** its own tick, to be echoed in a grant */
  tick: MonoMs
  /** when that tick came, on our clock */
  tickAt: MonoMs
  /** when anything came */
  heardAt: MonoMs
  /** sessions it has room for, less what was lent since it said so */
  free: number
  /** sessions of grants that it has not answered, by lease: what it says of its room may not know them yet */
  readonly asked: Map<string, { readonly sessions: number; readonly until: MonoMs }>
  /** addresses it can send from */
  ips: ReadonlySet<string>
  stopping: boolean
  /** it reads several grants of one message */
  manyGrants: boolean
  /** it refused: nothing is offered before */
  notBefore: MonoMs
  /** a site waits because it has no room: until then its idle leases end and its largest fades */
  wantedUntil: MonoMs
  /** addresses it refused, until when they are not offered again */
  readonly refusedIps: Map<string, MonoMs>
}

/** All senders, one roster for all shards of the process: a sender's room is lent by all of them. */
export type Roster = Map<string, Sender>

export function hearSender(roster: Roster, here: SenderHere, mono: MonoMs): Sender {
  const sender = heard(roster, here.sender, here.tick, here.sessionsFree, mono)
  if (sender.ips.size !== here.ips.length || here.ips.some((ip) => !sender.ips.has(ip))) sender.ips = new Set(here.ips)
  sender.stopping = here.stopping
  sender.manyGrants = here.manyGrants ?? false
  return sender
}

export function hearReporter(roster: Roster, report: Pick<Report, 'sender' | 'tick' | 'sessionsFree'>, mono: MonoMs): Sender {
  return heard(roster, report.sender, report.tick, report.sessionsFree, mono)
}

function heard(roster: Roster, id: string, tick: MonoMs, free: number, mono: MonoMs): Sender {
  const known = roster.get(id)
  if (known === undefined) {
    const sender: Sender = {
      id,
      tick,
      tickAt: mono,
      heardAt: mono,
      free,
      asked: new Map(),
      ips: new Set(),
      stopping: false,
      manyGrants: false,
      notBefore: 0,
      wantedUntil: 0,
      refusedIps: new Map(),
    }
    roster.set(id, sender)
    return sender
  }
  known.heardAt = mono
  // An older message that was overtaken says nothing about now.
  if (tick >= known.tick) {
    known.tick = tick
    known.tickAt = mono
    known.free = Math.max(0, free - askedOf(known, mono))
  }
  return known
}

/** A lease is asked for: its sessions are promised until the answer, or until there can be none any more. */
export function askRoom(sender: Sender, lease: string, sessions: number, mono: MonoMs): void {
  sender.free -= sessions
  sender.asked.set(lease, { sessions, until: mono + GRANT_TIMEOUT_MS })
}

function askedOf(sender: Sender, mono: MonoMs): number {
  let asked = 0
  for (const [lease, { sessions, until }] of sender.asked) {
    if (until > mono) asked += sessions
    else sender.asked.delete(lease)
  }
  return asked
}

/** Can it be given something now: heard lately, its tick fresh, not leaving? */
export function isReachable(sender: Sender | undefined, mono: MonoMs): sender is Sender {
  return (
    sender !== undefined && !sender.stopping && mono - sender.heardAt <= HERE_SILENT_MS && mono - sender.tickAt <= FRESH_TICK_MS && mono >= sender.notBefore
  )
}

export function canUse(sender: Sender, ip: string, mono: MonoMs): boolean {
  return sender.ips.has(ip) && (sender.refusedIps.get(ip) ?? 0) <= mono
}

/** The emptiest of the senders `among` that can use the address; null when none has room. */
export function emptiest(roster: Roster, among: ReadonlySet<string>, ip: string, mono: MonoMs): Sender | null {
  let best: Sender | null = null
  for (const sender of roster.values()) {
    if (sender.free < 1 || !among.has(sender.id) || !isReachable(sender, mono) || !canUse(sender, ip, mono)) continue
    if (best === null || sender.free > best.free) best = sender
  }
  return best
}

/** Is there any room, whatever the address? */
export function hasRoom(roster: Roster, among: ReadonlySet<string>, mono: MonoMs): boolean {
  for (const sender of roster.values()) if (sender.free >= 1 && among.has(sender.id) && isReachable(sender, mono)) return true
  return false
}

/** Is there room that nobody waits for? What a sender says free in a crowd is spoken for before it is heard. */
export function hasRoomToSpare(roster: Roster, among: ReadonlySet<string>, mono: MonoMs): boolean {
  for (const sender of roster.values()) if (sender.free >= 1 && sender.wantedUntil <= mono && among.has(sender.id) && isReachable(sender, mono)) return true
  return false
}

/** Somebody waits for room that none of them has. */
export function wishForRoom(roster: Roster, ip: string, mono: MonoMs): void {
  for (const sender of roster.values()) if (sender.free < 1 && isReachable(sender, mono) && canUse(sender, ip, mono)) sender.wantedUntil = mono + ROOM_WISH_MS
}
/** Longer than a lease needs to end and be reported closed. */
const ROOM_WISH_MS = 2_000

/** What a refusal says about the sender. */
export function hearRefusal(sender: Sender, ip: string, because: Extract<GrantAnswer, { kind: 'refused' }>['because'], mono: MonoMs): void {
  switch (because) {
    case 'stopping':
      sender.stopping = true
      return
    case 'no-room':
      sender.free = 0 // until it says otherwise
      return
    case 'ip-unusable':
      sender.refusedIps.set(ip, mono + 10 * SOON_MS)
      return
    case 'source-held':
      sender.refusedIps.set(ip, mono + SOON_MS)
      return
    case 'not-ready':
    case 'stale-epoch': // it may not have read the ownership bucket yet, or we are no longer the owner: the bucket tells us soon
      sender.notBefore = mono + SOON_MS / 2
      return
    case 'stale-tick':
      sender.tickAt = mono - FRESH_TICK_MS - 1 // wait for its next word
      return
  }
}

export function forgetSilent(roster: Roster, mono: MonoMs): void {
  for (const [id, sender] of roster) if (mono - sender.heardAt > FORGET_SENDER_MS) roster.delete(id)
}
