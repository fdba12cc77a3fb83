/** Recipients for a demo: `n` of them over all ISPs, among them what it takes to meet every behaviour of every model. */
import { seededDice } from './dice.ts'
import type { BehaviourName } from './models/names.ts'
import type { IspRow } from './models/isp.ts'
import { PROVIDERS } from './models/isps.ts'
import { NULL_MX_DOMAIN, NXDOMAIN, SERVFAIL_DOMAIN, tail } from './models/tail.ts'
import { designer } from './design.ts'
import type { Design } from './models/words.ts'

export type DemoRecipient = {
  readonly address: string
  readonly name: string
  /** the row it belongs to; `nowhere` for null MX, NXDOMAIN, SERVFAIL */
  readonly isp: string
  readonly design: Design
}

export type DemoOptions = {
  /** behaviours not to provoke, such as those after which a careful sender rests for long (`reputation`, `greeting-refused`) */
  readonly without?: readonly BehaviourName[]
  /** leave out addresses that can only wait until they expire (`full@`, SERVFAIL); default keep */
  readonly never?: 'keep' | 'leave-out'
}

/** Shares of what is left after the obligatory ones; Yahoo Japan bears 10/s, so it gets few. */
const SHARES: Readonly<Record<string, number>> = { google: 34, yahoo: 12, outlook: 14, docomo: 7, orange: 4, 'yahoo-jp': 1, tail: 28 }
/** Ordinary mails per ISP: one more than the largest count after which a behaviour of the tail shows itself. */
const PLAIN = 21
/** Yahoo closes after the 20th mail of a session and bears 10 sessions: with so many mails one session must get there. */
const PLAIN_SILENT_CLOSE = 220
/** A sender tries an envelope ahead after 5 mails in a session and while 20 wait; 20 sessions may share them. */
const PLAIN_AHEAD = 150

const GIVEN = [
  ['taro', '太郎'],
  ['hanako', '花子'],
  ['ichiro', '一郎'],
  ['sakura', 'さくら'],
  ['ken', '健'],
  ['yuki', '雪'],
  ['jun', '純'],
  ['aoi', '葵'],
] as const
const FAMILY = [
  ['yamada', '山田'],
  ['sato', '佐藤'],
  ['suzuki', '鈴木'],
  ['tanaka', '田中'],
  ['ito', '伊藤'],
  ['kato', '加藤'],
  ['mori', '森'],
  ['abe', '阿部'],
] as const

/** Distinct addresses, obligatory ones first, then shuffled over all by `seed`. Throws RangeError if `n` has no room for the obligatory ones. */
export function demoRecipients(n: number, seed: number, options: DemoOptions = {}): readonly DemoRecipient[] {
  const rows = [...PROVIDERS, ...tail()]
  const designOf = designer(rows)
  const dice = seededDice(seed)
  const make = (local: string, domain: string, isp: string, name: string): DemoRecipient => {
    const address = `${local}@${domain}`
    return { address, name, isp, design: designOf(address) }
  }
  let serial = 0
  const person = (row: IspRow): DemoRecipient => {
    serial += 1
    const given = pick(GIVEN, dice),
      family = pick(FAMILY, dice)
    return make(`${given[0]}.${family[0]}${serial}`, pick(row.domains, dice).domain, row.name, `${family[1]} ${given[1]}`)
  }
  const list = [...rows.flatMap((row) => obligatory(row, options.without ?? [], make)), ...nowhere(make)].filter(
    ({ design }) => options.never !== 'leave-out' || design.end !== 'never',
  )
  const skipped = (row: IspRow): boolean => row.behaviours.some(({ name }) => name === 'greeting-refused' && options.without?.includes(name) === true)
  for (const row of rows) {
    if (!skipped(row)) for (let k = 0; k < plainFor(row); k += 1) list.push(person(row))
  }
  if (list.length > n) throw new RangeError(`a demo list needs at least ${list.length} recipients to meet every behaviour, ${n} were asked for`)
  const tails = rows.filter((row) => !(row.name in SHARES) && !skipped(row))
  while (list.length < n) {
    const share = pickShare(dice)
    list.push(person(rows.find(({ name }) => name === share) ?? pick(tails, dice)))
  }
  return shuffle(list, dice)
}

function plainFor(row: IspRow): number {
  if (row.name === 'yahoo') return PLAIN_SILENT_CLOSE
  return row.behaviours.some(({ name }) => name === 'ahead-accepted' || name === 'ahead-refused') ? PLAIN_AHEAD : PLAIN
}

type Make = (local: string, domain: string, isp: string, name: string) => DemoRecipient

function obligatory(row: IspRow, without: readonly BehaviourName[], make: Make): readonly DemoRecipient[] {
  const wanted = row.behaviours.filter(({ name }) => !without.includes(name))
  const limits = wanted.filter(({ says }) => says !== undefined).map(({ name }) => `meet-${name}`)
  const has = (name: BehaviourName): boolean => wanted.some((one) => one.name === name)
  const provider = row.name in SHARES
  const locals = [
    'ok',
    'defer-451-x1',
    ...limits,
    ...(has('unknown-user') ? ['unknown'] : []),
    ...(has('mailbox-full') ? ['full'] : []),
    ...(provider ? ['defer-421-x1', 'refuse-550', 'refuse-554-at-dot', 'drop-at-rcpt', 'drop-in-data', 'slow-300ms', 'grey-1s', 'silent-1s'] : []),
  ]
  const domain = row.domains[0]?.domain ?? ''
  return [...locals.map((local) => make(local, domain, row.name, local)), ...naturalUnknowns(row, has, domain, make)]
}

/** A tail host that counts unknown users is asked for a few more than it bears; providers bear so many that a sender's own brakes come first. */
function naturalUnknowns(row: IspRow, has: (name: BehaviourName) => boolean, domain: string, make: Make): readonly DemoRecipient[] {
  const counts = row.name in SHARES ? 0 : has('reputation') || has('refused-per-session') || has('tarpit') ? 6 : 0
  return Array.from({ length: counts }, (_, k) => make(`unknown+${k}`, domain, row.name, 'nobody'))
}

function nowhere(make: Make): readonly DemoRecipient[] {
  return [NULL_MX_DOMAIN, NXDOMAIN, SERVFAIL_DOMAIN].map((domain) => make('taro', domain, 'nowhere', '山田 太郎'))
}

function pick<T>(from: readonly T[], dice: () => number): T {
  const one = from[Math.floor(dice() * from.length)]
  if (one === undefined) throw new RangeError('nothing to pick from')
  return one
}

function pickShare(dice: () => number): string {
  const shares = Object.entries(SHARES)
  let left = dice() * shares.reduce((sum, [, share]) => sum + share, 0)
  for (const [name, share] of shares) {
    left -= share
    if (left < 0) return name
  }
  return 'tail'
}

function shuffle<T>(list: readonly T[], dice: () => number): readonly T[] {
  const keyed = list.map((one) => ({ one, at: dice() }))
  return keyed.sort((a, b) => a.at - b.at).map(({ one }) => one)
}
