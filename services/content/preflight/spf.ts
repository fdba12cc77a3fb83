/** SPF (RFC 7208): does a domain allow an address to send as it? */
import { type AddressBits, addressBits, addressParts, inRange } from './ip-range.ts'
import type { Check } from './look-up.ts'

export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'
export interface SpfVerdict {
  readonly result: SpfResult
  /** the term that decided, or what is wrong */
  readonly because: string
}

export interface SpfQuestion {
  readonly address: string
  /** of MAIL FROM */
  readonly domain: string
  /** our EHLO name, for `%{h}` */
  readonly helo?: string
}

const LOOKUPS = 10 // RFC 7208 4.6.4
const VOIDS = 2
const NAMES_OF_ONE_LOOKUP = 10

/** What one evaluation may still spend. */
interface Budget {
  lookups: number
  voids: number
}
interface Asked extends SpfQuestion {
  readonly bits: AddressBits
  readonly budget: Budget
}
class Stop extends Error {
  readonly verdict: SpfVerdict
  constructor(result: 'temperror' | 'permerror', because: string) {
    super(because)
    this.verdict = { result, because }
  }
}

export function* evaluateSpf(question: SpfQuestion): Check<SpfVerdict> {
  const bits = addressBits(question.address)
  if (bits === null) return { result: 'none', because: `"${question.address}" is no IP address` }
  try {
    return yield* checkHost({ ...question, bits, budget: { lookups: LOOKUPS, voids: VOIDS } }, question.domain)
  } catch (error) {
    if (error instanceof Stop) return error.verdict
    throw error
  }
}

function* checkHost(asked: Asked, domain: string): Check<SpfVerdict> {
  const found = yield { name: domain, type: 'TXT' }
  if (found.kind === 'unknown') throw new Stop('temperror', `${domain}: ${found.because}`)
  const records = found.kind === 'none' ? [] : found.records.filter((record) => /^v=spf1(?: |$)/i.test(record))
  if (records.length === 0) return { result: 'none', because: `${domain} has no SPF record` }
  if (records.length > 1) throw new Stop('permerror', `${domain} has ${records.length} SPF records, and only one is allowed`)
  const terms = (records[0] as string)
    .split(' ')
    .slice(1)
    .filter((term) => term !== '')
  const read = terms.map((term) => readTerm(term, domain)) // all of it first: a mistake behind the match counts too (RFC 7208 4.6)
  for (const term of read) {
    if (term.kind === 'mechanism' && (yield* matches(term, asked, domain))) return { result: QUALIFIERS[term.qualifier], because: `${domain}: ${term.text}` }
  }
  const redirect = read.find((term) => term.kind === 'redirect')
  if (!redirect) return { result: 'neutral', because: `${domain}: no term matches` }
  spend(asked, redirect.text)
  const verdict = yield* checkHost(asked, expand(redirect.value, asked, domain))
  if (verdict.result === 'none') throw new Stop('permerror', `${domain}: ${redirect.text} leads to no SPF record`)
  return verdict
}

const QUALIFIERS = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const
const NAMES = ['all', 'include', 'a', 'mx', 'ptr', 'ip4', 'ip6', 'exists'] as const

interface Mechanism {
  readonly kind: 'mechanism'
  readonly text: string
  readonly qualifier: keyof typeof QUALIFIERS
  readonly name: (typeof NAMES)[number]
  readonly value: string
  readonly prefix4: number
  readonly prefix6: number
}
type Term = Mechanism | { readonly kind: 'redirect' | 'other'; readonly text: string; readonly value: string }

function readTerm(text: string, domain: string): Term {
  const wrong = () => new Stop('permerror', `${domain}: "${text}" is not understood`)
  const modifier = /^([a-z][a-z0-9_.-]*)=(.*)$/i.exec(text)
  if (modifier) {
    const name = modifier[1]?.toLowerCase()
    if (name === 'redirect' && modifier[2] === '') throw wrong()
    return { kind: name === 'redirect' ? 'redirect' : 'other', text, value: modifier[2] ?? '' }
  }
  const match = /^([+~?-]?)([a-z0-9]+)(?::([^/]*(?:\/(?!\d+$|\/)[^/]*)*))?(?:\/(\d{1,3}))?(?:\/\/(\d{1,3}))?$/i.exec(text)
  const name = NAMES.find((known) => known === match?.[2]?.toLowerCase())
  if (!match || name === undefined) throw wrong()
  const [, qualifier = '', , value = '', first, second] = match
  const isIp6 = name === 'ip6'
  const prefix4 = Number(first ?? 32)
  const prefix6 = Number(isIp6 ? (first ?? 128) : (second ?? 128))
  const needs = name === 'include' || name === 'exists' || name === 'ip4' || name === 'ip6'
  const hasPrefix = first !== undefined || second !== undefined
  if ((needs && value === '') || (name === 'all' && value !== '') || prefix6 > 128 || (!isIp6 && prefix4 > 32)) throw wrong()
  if (hasPrefix && (name === 'all' || name === 'include' || name === 'exists' || name === 'ptr')) throw wrong()
  if ((name === 'ip4' && addressBits(value)?.bits !== 32) || (isIp6 && addressBits(value)?.bits !== 128)) throw wrong()
  return { kind: 'mechanism', text, qualifier: (qualifier || '+') as keyof typeof QUALIFIERS, name, value, prefix4, prefix6 }
}

function* matches(term: Mechanism, asked: Asked, domain: string): Check<boolean> {
  const target = term.value === '' ? domain : expand(term.value, asked, domain)
  switch (term.name) {
    case 'all':
      return true
    case 'ip4':
    case 'ip6':
      return isWithin(term.value, term, asked)
    case 'include': {
      spend(asked, term.text)
      const { result } = yield* checkHost(asked, target)
      if (result === 'none') throw new Stop('permerror', `${domain}: ${term.text} leads to no SPF record`)
      return result === 'pass'
    }
    case 'a':
      spend(asked, term.text)
      return yield* hostMatches(target, term, asked)
    case 'mx': {
      spend(asked, term.text)
      const hosts = yield* records(target, 'MX', asked)
      if (hosts.length > NAMES_OF_ONE_LOOKUP) throw new Stop('permerror', `${domain}: ${term.text} names more than ${NAMES_OF_ONE_LOOKUP} hosts`)
      for (const host of hosts) if (host !== '.' && (yield* hostMatches(host, term, asked))) return true
      return false
    }
    case 'exists': {
      spend(asked, term.text)
      return (yield* records(target, 'A', asked)).length > 0
    }
    case 'ptr': {
      spend(asked, term.text)
      const names = yield* records(reversed(asked.bits), 'PTR', asked)
      for (const name of names.slice(0, NAMES_OF_ONE_LOOKUP)) {
        const within = name === target || name.endsWith(`.${target}`)
        if (within && (yield* hostMatches(name, { prefix4: 32, prefix6: 128 }, asked))) return true
      }
      return false
    }
  }
}

function* hostMatches(host: string, prefixes: Pick<Mechanism, 'prefix4' | 'prefix6'>, asked: Asked): Check<boolean> {
  const addresses = yield* records(host, asked.bits.bits === 32 ? 'A' : 'AAAA', asked)
  return addresses.some((address) => isWithin(address, prefixes, asked))
}

function isWithin(range: string, { prefix4, prefix6 }: Pick<Mechanism, 'prefix4' | 'prefix6'>, { bits }: Asked): boolean {
  const read = addressBits(range)
  return read !== null && inRange(bits, read, read.bits === 32 ? prefix4 : prefix6)
}

function* records(name: string, type: 'A' | 'AAAA' | 'MX' | 'PTR', { budget }: Asked): Check<readonly string[]> {
  const found = yield { name, type }
  if (found.kind === 'unknown') throw new Stop('temperror', `${type} ${name}: ${found.because}`)
  if (found.kind === 'records') return found.records
  budget.voids--
  if (budget.voids < 0) throw new Stop('permerror', `more than ${VOIDS} of its names lead nowhere, the last is ${name} (RFC 7208 4.6.4)`)
  return []
}

function spend({ budget }: Asked, text: string): void {
  budget.lookups--
  if (budget.lookups < 0) throw new Stop('permerror', `it takes more than ${LOOKUPS} look-ups, "${text}" is one too many (RFC 7208 4.6.4)`)
}

/** Macros (RFC 7208 7): `%{i}`, `%{d2}`, `%{ir}`, `%%`, … */
function expand(text: string, asked: Asked, domain: string): string {
  const sender = `postmaster@${asked.domain}`
  const parts = addressParts(asked.bits)
  const values: Readonly<Record<string, string>> = {
    s: sender,
    l: 'postmaster',
    o: asked.domain,
    d: domain,
    i: parts.join('.'),
    v: asked.bits.bits === 32 ? 'in-addr' : 'ip6',
    h: asked.helo ?? asked.domain,
    p: 'unknown',
  }
  const expanded = text.replace(
    /%(?:\{([a-z])(\d*)(r?)([-.+,/_=]*)\}|([%_-]))/gi,
    (whole, letter: string | undefined, keep: string, reverse: string, delimiters: string, plain: string | undefined) => {
      if (letter === undefined) return plain === '_' ? ' ' : plain === '-' ? '%20' : '%'
      const value = values[letter.toLowerCase()]
      if (value === undefined) throw new Stop('permerror', `${domain}: the macro ${whole} is not understood`)
      const pieces = value.split(new RegExp(`[${(delimiters || '.').replace(/[\]\\^-]/g, '\\$&')}]`))
      if (reverse) pieces.reverse()
      return pieces.slice(keep ? -Number(keep) : 0).join('.')
    },
  )
  return expanded.toLowerCase().replace(/\.$/, '')
}

function reversed(bits: AddressBits): string {
  return `${addressParts(bits).reverse().join('.')}.${bits.bits === 32 ? 'in-addr' : 'ip6'}.arpa`
}
