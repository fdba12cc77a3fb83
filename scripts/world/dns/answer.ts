/** One DNS query → one response packet, faults included. Pure but for the faults' own counters. */
import dns, { type Answer, type Packet } from 'dns-packet'
import { lookUp, NEGATIVE_TTL_S, type Zone, type ZoneRecord } from './zone.ts'

/** servfail · nxdomain: for every type · drop: no answer at all · drop-first: none to the first query over UDP ·
 *  truncate: over UDP only an empty answer with TC, so that the client must come again over TCP */
export const DNS_FAULTS = ['servfail', 'nxdomain', 'drop', 'drop-first', 'truncate'] as const
export type DnsFault = (typeof DNS_FAULTS)[number]

export type DnsFaults = {
  /** name, `*.name` for all below it, or `*` for everything */
  readonly set: Map<string, DnsFault>
  /** `name type` of queries dropped once already */
  readonly droppedOnce: Set<string>
}

export const openFaults = (): DnsFaults => ({ set: new Map(), droppedOnce: new Set() })

const RCODE = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const
const UDP_MAX_BYTES = 512
const FLAGS = dns.AUTHORITATIVE_ANSWER | dns.RECURSION_AVAILABLE

/** null: say nothing. `wire` is the query's bytes without TCP's length. Throws what dns-packet throws on rubbish. */
export function answer(zone: Zone, faults: DnsFaults, wire: Buffer, over: 'udp' | 'tcp'): Buffer | null {
  const query = dns.decode(wire)
  const question = query.questions?.[0]
  if (query.type !== 'query' || question === undefined) return null
  const name = question.name.toLowerCase()
  const fault = faultFor(faults, name)
  if (fault === 'drop') return null
  if (fault === 'drop-first' && over === 'udp' && !faults.droppedOnce.has(`${name} ${question.type}`)) {
    faults.droppedOnce.add(`${name} ${question.type}`)
    return null
  }
  const edns = query.additionals?.find((extra) => extra.type === 'OPT')
  const base: Packet = {
    type: 'response',
    id: query.id ?? 0,
    questions: [question],
    additionals:
      edns === undefined ? [] : [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }],
  }
  const flags = FLAGS | ((query.flags ?? 0) & dns.RECURSION_DESIRED)
  const truncated = (): Buffer => dns.encode({ ...base, flags: flags | dns.TRUNCATED_RESPONSE })
  if (fault === 'truncate' && over === 'udp') return truncated()
  if (fault === 'servfail') return dns.encode({ ...base, flags: flags | RCODE.SERVFAIL })
  const found = fault === 'nxdomain' ? { rcode: 'NXDOMAIN' as const, answers: [], apex: name } : lookUp(zone, name, question.type)
  const soa = soaOf(found.apex)
  const answers = found.answers.length === 0 && question.type === 'SOA' && found.rcode === 'NOERROR' ? [soa] : found.answers.map(toAnswer)
  const full = dns.encode({ ...base, flags: flags | RCODE[found.rcode], answers, authorities: answers.length === 0 ? [soa] : [] })
  const room = edns?.type === 'OPT' ? Math.max(UDP_MAX_BYTES, edns.udpPayloadSize) : UDP_MAX_BYTES
  return over === 'udp' && full.length > room ? truncated() : full
}

function faultFor(faults: DnsFaults, name: string): DnsFault | null {
  if (faults.set.size === 0) return null
  const exact = faults.set.get(name)
  if (exact !== undefined) return exact
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const above = faults.set.get(`*${name.slice(dot)}`)
    if (above !== undefined) return above
  }
  return faults.set.get('*') ?? null
}

function toAnswer(record: ZoneRecord): Answer {
  const common = { name: record.name, ttl: record.ttlS, class: 'IN' } as const
  switch (record.type) {
    case 'MX':
      return { ...common, type: 'MX', data: record.data }
    case 'TXT':
      return { ...common, type: 'TXT', data: [...record.data] }
    default:
      return { ...common, type: record.type, data: record.data }
  }
}

function soaOf(apex: string): Answer {
  return {
    name: apex,
    type: 'SOA',
    class: 'IN',
    ttl: NEGATIVE_TTL_S,
    data: { mname: `ns.${apex}`, rname: `hostmaster.${apex}`, serial: 2026112400, refresh: 3600, retry: 600, expire: 86_400, minimum: NEGATIVE_TTL_S },
  }
}
