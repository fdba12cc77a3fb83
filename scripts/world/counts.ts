/** What one ISP saw of each source IP: enough to judge whether the sender kept every limit at every instant. */
import { domainOf } from './models/address.ts'
import type { BehaviourName } from './models/names.ts'
import type { Received } from './models/conversation.ts'
import type { SmtpEvent } from './models/event.ts'
import { isPositive, replyKey } from './models/reply.ts'
import type { Body } from './smtp/front.ts'

export type SourceCounts = {
  connects: number
  /** the most sessions open at one instant, one that was refused for being too many included */
  maxOpen: number
  encrypted: number
  /** transactions begun (MAIL accepted), mails stored, recipients stored */
  mails: number
  stored: number
  rcpts: number
  maxMailsPerSession: number
  maxRcptsPerSession: number
  maxRefusedPerSession: number
  /** `rcpt 550 5.1.1` → how often */
  readonly rejected: Map<string, number>
  /** behaviour → how often its limit was overstepped */
  readonly excess: Map<BehaviourName, number>
  /** epoch ms of the last MAIL accepted; null before the first */
  lastMailAt: number | null
  /** domains of the return paths, to see whose mail left from here; the first 1,000 */
  readonly returnDomains: Map<string, number>
}

export type IspCounts = {
  readonly sources: Map<string, SourceCounts>
  /** behaviour → how often it showed itself */
  readonly met: Map<BehaviourName, number>
  /** bodies with a bare CR, a bare LF, a NUL, a line over 998 bytes */
  readonly malformed: Map<string, number>
  /** stored without a Message-ID: an empty mail, or a sender that writes none */
  withoutMessageId: number
  /** thrown away after all (docomo's trap) */
  voided: number
}

const RETURN_DOMAINS_MAX = 1000

export function openCounts(): IspCounts {
  return { sources: new Map(), met: new Map(), malformed: new Map(), withoutMessageId: 0, voided: 0 }
}

export function sourceOf(counts: IspCounts, source: string): SourceCounts {
  const known = counts.sources.get(source)
  if (known !== undefined) return known
  const fresh: SourceCounts = {
    connects: 0,
    maxOpen: 0,
    encrypted: 0,
    mails: 0,
    stored: 0,
    rcpts: 0,
    maxMailsPerSession: 0,
    maxRcptsPerSession: 0,
    maxRefusedPerSession: 0,
    rejected: new Map(),
    excess: new Map(),
    lastMailAt: null,
    returnDomains: new Map(),
  }
  // the model answers a line whose session is gone with no source at all
  if (source !== '') counts.sources.set(source, fresh)
  return fresh
}

export function tallyEvent(isp: IspCounts, source: SourceCounts, event: SmtpEvent, received: Received, now: number): void {
  const { answer, session, stored } = received
  for (const name of received.met) countUp(isp.met, name)
  if (answer.excess === true) countUp(source.excess, answer.because as BehaviourName)
  isp.voided += answer.voids?.length ?? 0
  switch (event.on) {
    case 'connect':
      source.connects += 1
      source.maxOpen = Math.max(source.maxOpen, received.openFromSource)
      break
    case 'tls':
      source.encrypted += 1
      break
    case 'mail':
      if (isPositive(answer.reply)) begin(source, event.from, session.mails, now)
      break
    case 'rcpt':
      source.maxRcptsPerSession = Math.max(source.maxRcptsPerSession, session.rcpts)
      source.maxRefusedPerSession = Math.max(source.maxRefusedPerSession, session.refused)
      break
    default:
      break
  }
  if (stored !== null) {
    source.stored += 1
    source.rcpts += stored.rcpts.length
    if (stored.messageId === '') isp.withoutMessageId += 1
  }
  if (event.on !== 'closed' && !isPositive(answer.reply)) countUp(source.rejected, `${event.on} ${replyKey(answer.reply)}`)
}

function begin(source: SourceCounts, from: string, mailsInSession: number, now: number): void {
  source.mails += 1
  source.lastMailAt = now
  source.maxMailsPerSession = Math.max(source.maxMailsPerSession, mailsInSession)
  const domain = domainOf(from)
  if (source.returnDomains.size < RETURN_DOMAINS_MAX || source.returnDomains.has(domain)) countUp(source.returnDomains, domain)
}

export function tallyBody(isp: IspCounts, body: Body): void {
  for (const fault of body.faults) countUp(isp.malformed, fault)
}

function countUp<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
