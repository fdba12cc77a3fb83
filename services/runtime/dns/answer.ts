import type { QueryType, Question, RecordOf, Reply } from './wire.ts'

/** The rcodes that mean something to a mail system; TIMEOUT when no server answered, DOUBTED for an NXDOMAIN of a resolver that denies every name. */
export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED' | 'OTHER' | 'TIMEOUT' | 'DOUBTED'

export interface Answer<T extends QueryType = QueryType> {
  readonly rcode: Rcode
  /** empty with NOERROR: the name exists without this type */
  readonly records: readonly RecordOf[T][]
  /** how long this may still be believed, seconds, clamped */
  readonly ttlS: number
  /** every link was validated by the resolver */
  readonly ad: boolean
  /** why there is no answer, for people; null with NOERROR and NXDOMAIN */
  readonly because: string | null
}

/** How long answers are believed, whatever they say themselves. */
export const TTL_S = {
  /** TTLs of 0 to 4 s exist to steer browsers; asking again for each batch of the same domain helps nobody */
  positiveMin: 5,
  /** an MX that moved is seen within a day, even behind a TTL of weeks */
  positiveMax: 86_400,
  /** RFC 2308 5 allows 3 h; a domain registered or repaired in mid-campaign should not wait that long */
  negativeMax: 3_600,
  /** no SOA: RFC 2308 5 forbids to keep it; this only bundles the askers of one moment */
  negativeWithoutSoa: 5,
  /** RFC 2308 7 allows 5 min; the retry table waits 5 min of its own, so this is for the askers of one moment */
  failure: 5,
  /** a silent server costs each asker 10 s and a place in the queue, so silence is believed for longer */
  timeout: 30,
} as const

/** Longer chains of CNAMEs are a mistake or an attack: Unbound follows 11, BIND 16; real ones have 3. */
export const ALIASES_MAX = 11

export type Reading<T extends QueryType> =
  | { readonly kind: 'answer'; readonly answer: Answer<T> }
  /** the chain of CNAMEs leaves what this reply knows */
  | { readonly kind: 'follow'; readonly name: string; readonly ttlS: number; readonly ad: boolean }

const RCODES: Readonly<Record<number, Rcode>> = { 0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 4: 'NOTIMP', 5: 'REFUSED' }

export function rcodeName(code: number): Rcode {
  return RCODES[code] ?? 'OTHER'
}

/** What a complete (not truncated) reply says about the question. */
export function readReply<T extends QueryType>(question: { readonly name: string; readonly type: T }, reply: Reply): Reading<T> {
  const rcode = rcodeName(reply.rcode)
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN')
    return { kind: 'answer', answer: failure(rcode, `${question.type} ${question.name}: the resolver says ${rcode}`) }

  const end = followAliases(question, reply)
  if (end === null) return { kind: 'answer', answer: failure('SERVFAIL', `${question.name}: its CNAMEs run in a circle, or too far`) }
  const found = reply.answers.filter((record) => record.name === end.name && record.type === question.type)
  if (found.length > 0) {
    const ttlS = Math.min(end.ttlS, ...found.map((record) => plainTtl(record.ttlS)))
    const records = found.map((record) => record.data as RecordOf[T])
    return { kind: 'answer', answer: { rcode: 'NOERROR', records, ttlS: clampPositive(ttlS), ad: reply.ad, because: null } }
  }
  // With CNAMEs the rcode speaks of the last name (RFC 2308 2.1). Without an SOA the server may simply not have looked further.
  if (end.aliases > 0 && rcode === 'NOERROR' && reply.soa === null) return { kind: 'follow', name: end.name, ttlS: end.ttlS, ad: reply.ad }
  return { kind: 'answer', answer: { rcode, records: [], ttlS: Math.min(negativeTtl(reply), clampPositive(end.ttlS)), ad: reply.ad, because: null } }
}

/** No answer, believed for a moment only. */
export function failure<T extends QueryType>(rcode: Exclude<Rcode, 'NOERROR' | 'NXDOMAIN'>, because: string): Answer<T> {
  return { rcode, records: [], ttlS: rcode === 'TIMEOUT' ? TTL_S.timeout : TTL_S.failure, ad: false, because }
}

/** A text that no DNS name looks like does not exist. */
export function noSuchName<T extends QueryType>(): Answer<T> {
  return { rcode: 'NXDOMAIN', records: [], ttlS: TTL_S.negativeMax, ad: false, because: null }
}

function followAliases(question: Question, reply: Reply): { name: string; ttlS: number; aliases: number } | null {
  let [name, ttlS, aliases] = [question.name, Number.POSITIVE_INFINITY, 0]
  if (question.type === 'CNAME') return { name, ttlS, aliases }
  for (;;) {
    const alias = reply.answers.find((record) => record.type === 'CNAME' && record.name === name)
    if (alias?.type !== 'CNAME') return { name, ttlS, aliases }
    name = alias.data
    ttlS = Math.min(ttlS, plainTtl(alias.ttlS))
    aliases += 1
    if (aliases > ALIASES_MAX || name === question.name) return null
  }
}

function negativeTtl(reply: Reply): number {
  if (reply.soa === null) return TTL_S.negativeWithoutSoa
  return Math.min(Math.max(Math.min(plainTtl(reply.soa.ttlS), plainTtl(reply.soa.minimumS)), TTL_S.negativeWithoutSoa), TTL_S.negativeMax)
}

function clampPositive(ttlS: number): number {
  return Math.min(Math.max(ttlS, TTL_S.positiveMin), TTL_S.positiveMax)
}

/** A TTL with its highest bit set is zero (RFC 2181 8). */
function plainTtl(ttlS: number): number {
  return ttlS >= 2 ** 31 ? 0 : ttlS
}
