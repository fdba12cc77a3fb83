/** A long list as it comes from a customer: few domains have most people, many have few, some lines are unusable and some people stand there twice. */
import type { ZoneRecord } from '../../scripts/world/dns/zone.ts'

/** domains that have seven tenths of the people */
const LARGE = 30
const UNUSABLE_EACH = 50
const TWICE_EACH = 100
/** what shares the rest: a third has hosts of its own, a third lies on boxes under names of its own, a third with hosters */
const HOSTERS = 300

export interface LongList {
  readonly lines: number
  readonly recipients: number
  readonly unusable: number
  readonly duplicates: number
  readonly domains: number
  readonly format: 'ndjson' | 'csv'
}

export function longList(lines: number, domains: number, format: LongList['format']): LongList {
  const unusable = Math.floor(lines / UNUSABLE_EACH)
  const duplicates = Math.floor((lines + TWICE_EACH / 2) / TWICE_EACH)
  return { lines, recipients: lines - unusable - duplicates, unusable, duplicates, domains, format }
}

/** The text, in pieces of some 100 KB. */
export function* piecesOf(list: LongList): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  let text = list.format === 'csv' ? 'address,ref,name,points\n' : ''
  for (let line = 1; line <= list.lines; line++) {
    text += lineOf(list, line)
    if (text.length < 100_000) continue
    yield encoder.encode(text)
    text = ''
  }
  yield encoder.encode(text)
}

/** A line as a person in a hurry wrote it: each fiftieth is nobody's address, each hundredth the person of fifty lines before in other letters. */
function lineOf({ domains, format }: LongList, line: number): string {
  const unusable = line % UNUSABLE_EACH === 0
  const twice = line % TWICE_EACH === TWICE_EACH / 2 - 1 // never where the line before it is unusable
  const address = unusable ? BROKEN[(line / UNUSABLE_EACH) % BROKEN.length] : addressOf(twice ? line - 1 : line, domains)
  const shown = twice ? address?.replace(/^./, (first) => first.toUpperCase()) : address
  if (format === 'csv') return `${shown},r-${line},"Yamada, ""Taro"" ${line}",${line % 1_000}\n`
  return `${JSON.stringify({ address: shown, ref: `r-${line}`, name: `山田 ${line}`, vars: { points: line % 1_000 } })}\n`
}

const BROKEN = ['taro', 'taro@@example.jp', '@example.jp', 'ta ro@example.jp', 'taro@example', '']

function addressOf(line: number, domains: number): string {
  const dice = (Math.imul(line, 0x9e3779b1) >>> 0) / 0x1_0000_0000
  const domain = dice < 0.7 ? Math.floor((dice / 0.7) * LARGE) : LARGE + Math.floor(((dice - 0.7) / 0.3) * (domains - LARGE))
  return `user${line}@${domainName(domain)}`
}

const domainName = (n: number) => `d${n}.example`

/** MX and addresses of all domains, on so many of the sinks' addresses. */
export function* recordsOf({ domains }: LongList, addressOfSink: (n: number) => string, sinks: number): Generator<ZoneRecord> {
  const at = (n: number) => ({ ttlS: 3_600, type: 'A' as const, data: addressOfSink(n % sinks) })
  for (let n = 0; n < HOSTERS; n++) yield { name: `mx.hoster${n}.example`, ...at(n) }
  for (let n = 0; n < domains; n++) {
    const exchange = n % 3 === 0 ? `mx.own${n}.example` : n % 3 === 1 ? `mx.${domainName(n)}` : `mx.hoster${n % HOSTERS}.example`
    yield { name: domainName(n), ttlS: 3_600, type: 'MX', data: { preference: 10, exchange } }
    if (n % 3 !== 2) yield { name: exchange, ...at(n) }
  }
}
