import packet from 'dns-packet'
import type { Answer as PacketAnswer, DecodedPacket } from 'dns-packet'

export const QUERY_TYPES = ['A', 'AAAA', 'MX', 'TXT', 'PTR', 'NS', 'CNAME', 'TLSA'] as const
export type QueryType = (typeof QUERY_TYPES)[number]

/** What one record of a type looks like here. MX exchanges are as sent (`.` is the root), TXT strings are joined (RFC 7208 3.3), addresses canonical. */
export interface RecordOf {
  readonly A: string
  readonly AAAA: string
  readonly MX: { readonly preference: number; readonly exchange: string }
  readonly TXT: string
  readonly PTR: string
  readonly NS: string
  readonly CNAME: string
  /** RFC 6698 2.1 */
  readonly TLSA: { readonly usage: number; readonly selector: number; readonly matching: number; readonly data: Buffer }
}

export interface Question {
  readonly name: string
  readonly type: QueryType
}

export type WireRecord = {
  readonly [T in QueryType]: { readonly name: string; readonly type: T; readonly ttlS: number; readonly data: RecordOf[T] }
}[QueryType]

export interface Reply {
  readonly id: number
  /** lower case, without the trailing dot; null when a truncated packet ended before it */
  readonly question: { readonly name: string; readonly type: string } | null
  readonly truncated: boolean
  /** the number of RFC 1035 4.1.1 with the upper bits of EDNS0 */
  readonly rcode: number
  /** the resolver validated it (RFC 4035 3.2.3) */
  readonly ad: boolean
  readonly answers: readonly WireRecord[]
  /** of the authority section; `ttlS` of the record, `minimumS` of its last field: the smaller is the negative TTL (RFC 2308 5) */
  readonly soa: { readonly ttlS: number; readonly minimumS: number } | null
}

/** The UDP payload that fits every path without fragments (DNS flag day 2020). */
const UDP_PAYLOAD_BYTES = 1_232
const HEADER_BYTES = 12
const QR = 1 << 15
const TC = 1 << 9

/** A question with recursion desired. AD is set so that the resolver says whether it validated (RFC 6840 5.7); `edns: 'without'` for servers that answer FORMERR to it. */
export function encodeQuery(question: Question, id: number, edns: 'with' | 'without'): Buffer {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: UDP_PAYLOAD_BYTES, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] } as const
  return packet.encode({
    type: 'query',
    id,
    flags: packet.RECURSION_DESIRED | packet.AUTHENTIC_DATA,
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    additionals: edns === 'with' ? [{ ...opt, options: [] }] : [],
  })
}

/** Null when the bytes are no reply or cannot be understood. A truncated reply is understood by its header alone. */
export function decodeReply(bytes: Buffer): Reply | null {
  if (bytes.length < HEADER_BYTES) return null
  const flags = bytes.readUInt16BE(2)
  if ((flags & QR) === 0) return null
  const truncated = (flags & TC) !== 0
  const decoded = decode(bytes)
  if (decoded === null) {
    return truncated ? { id: bytes.readUInt16BE(0), question: null, truncated, rcode: flags & 0xf, ad: false, answers: [], soa: null } : null
  }
  return readPacket(decoded, truncated)
}

/** Whether this reply is to that question. Case differs where a resolver keeps the case of an earlier asker. */
export function answersTo(reply: Reply, question: Question): boolean {
  if (reply.question === null) return reply.truncated
  return reply.question.type === question.type && reply.question.name === question.name
}

function decode(bytes: Buffer): DecodedPacket | null {
  try {
    return packet.decode(bytes)
  } catch {
    // NOTE: whatever a stranger sends must not stop us; the caller hears null, and the query goes on waiting or is asked again
    return null
  }
}

function readPacket(decoded: DecodedPacket, truncated: boolean): Reply {
  const [question] = decoded.questions ?? []
  const soa = decoded.authorities?.find((record) => record.type === 'SOA')
  const opt = decoded.additionals?.find((record) => record.type === 'OPT')
  return {
    id: decoded.id ?? 0,
    question: question === undefined ? null : { name: plainName(question.name), type: question.type },
    truncated,
    rcode: ((decoded.flags ?? 0) & 0xf) | ((opt?.extendedRcode ?? 0) << 4),
    ad: decoded.flag_ad,
    answers: (decoded.answers ?? []).map(readRecord).filter((record) => record !== null),
    soa: soa === undefined ? null : { ttlS: soa.ttl ?? 0, minimumS: soa.data.minimum ?? 0 },
  }
}

function readRecord(record: PacketAnswer): WireRecord | null {
  const name = plainName(record.name)
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return { name, type: record.type, ttlS: record.ttl ?? 0, data: record.data }
    case 'PTR':
    case 'NS':
    case 'CNAME':
      return { name, type: record.type, ttlS: record.ttl ?? 0, data: plainName(record.data) }
    case 'MX':
      return { name, type: 'MX', ttlS: record.ttl ?? 0, data: { preference: record.data.preference ?? 0, exchange: record.data.exchange } }
    case 'TXT':
      return { name, type: 'TXT', ttlS: record.ttl ?? 0, data: joinText(record.data) }
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = record.data
      return { name, type: 'TLSA', ttlS: record.ttl ?? 0, data: { usage, selector, matching: matchingType, data: certificate } }
    }
    default:
      return null // RRSIG, DNAME and whatever else stands beside the records asked for
  }
}

function joinText(data: string | Buffer | readonly (string | Buffer)[]): string {
  const parts = typeof data === 'string' || Buffer.isBuffer(data) ? [data] : data
  return parts.map((part) => part.toString()).join('')
}

function plainName(name: string): string {
  const lower = name.toLowerCase()
  return lower !== '.' && lower.endsWith('.') ? lower.slice(0, -1) : lower
}
