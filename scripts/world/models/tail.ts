/** The long tail: 300 small domains on 30 hosts, every host with manners of its own. Every third host is a box whose ten
 *  customers each have an MX inside their own domain (`mx.shop-000.example`), all of them at the box's one address. */
import type { Behaviour } from './behaviour.ts'
import { aheadAccepted, aheadRefused, dataRegardless, dropInData, silenceAfterDot, slowDot } from './body.ts'
import { dropAtConnect, greetingRefused, noPipelining, noTls, slowGreeting, tlsBroken, tlsOffered, tlsRequired } from './connecting.ts'
import { greylist } from './greylist.ts'
import type { IspRow } from './isp.ts'
import { connectRate, mailRate, mailsPerSession, rcptsPerMail, refusedPerSession, sessionCap, silentClose, sizeLimit, tarpit } from './limits.ts'
import { mailboxFull, reputation, unknownAfterDot, unknownUser } from './recipients.ts'
import { reply } from './reply.ts'

export const TAIL_HOSTS = 30
export const TAIL_DOMAINS = 300

const PLAIN = ['SIZE 20971520', '8BITMIME'] as const
const PIPED = ['PIPELINING', ...PLAIN] as const
const SECURE = [...PIPED, 'STARTTLS'] as const

type Manner = { readonly ehlo: readonly string[]; readonly behaviours: readonly Behaviour[] }
const manner = (ehlo: readonly string[], ...behaviours: readonly Behaviour[]): Manner => ({ ehlo, behaviours })
const busy = reply(421, '4.7.0', 'Service not available, too many unknown recipients from your address')
const banned = reply(550, '5.7.1', 'Your address is blocked, too many unknown recipients')

/** One row a host. Numbers are small, so that a few hundred mails meet them. */
const MANNERS: readonly Manner[] = [
  manner(SECURE, tlsOffered(), aheadAccepted()),
  manner(PIPED, noTls(), sessionCap(1)),
  manner(PIPED, noTls(), sessionCap(3)),
  manner(SECURE, tlsOffered(), greylist(2000)),
  manner(PIPED, noTls(), connectRate({ connects: 30, overMs: 10_000 })),
  manner(PIPED, noTls(), mailRate({ mails: 40, overMs: 2000 })),
  manner(SECURE, tlsRequired(), tlsOffered()),
  manner(SECURE, tlsBroken()),
  manner(PLAIN, noTls(), noPipelining()),
  manner(PIPED, noTls(), aheadRefused()),
  manner(PIPED, noTls(), mailsPerSession(5)),
  manner(PIPED, noTls(), silentClose(2)),
  manner(PIPED, noTls(), rcptsPerMail(1)),
  manner(PIPED, noTls(), tarpit({ afterRefused: 0, waitMs: 20 })),
  manner(PIPED, noTls(), slowGreeting(200)),
  manner(PIPED, noTls(), dropInData(10)),
  manner(PIPED, noTls(), greetingRefused(1)),
  manner(PIPED, noTls(), dataRegardless()),
  manner(PIPED, noTls(), refusedPerSession(5), tarpit({ afterRefused: 3, waitMs: 300 })),
  manner(PIPED, noTls(), unknownAfterDot(reply(550, '5.1.1', 'Sorry, no mailbox here by that name'))),
  manner(PIPED, noTls(), reputation({ unknowns: 5, overMs: 30_000, blockMs: 2000, says: busy })),
  manner(PIPED, noTls(), reputation({ unknowns: 5, overMs: 30_000, blockMs: 2000, says: banned })),
  manner(PIPED, noTls(), slowDot(150)),
  manner(PIPED, noTls(), dropAtConnect(3)),
  manner(PIPED, noTls(), silenceAfterDot(20, 1000)),
  manner(PIPED, noTls(), sizeLimit(2_097_152)),
  manner(PIPED, noTls(), mailboxFull('dot', reply(552, '5.2.2', 'Mailbox over quota'))),
  manner(SECURE, tlsOffered(), silentClose(3)),
  manner(PLAIN, noPipelining(), greylist(1000)),
  manner(SECURE, tlsOffered(), slowDot(50), mailsPerSession(20)),
]

const number = (n: number, digits: number): string => String(n).padStart(digits, '0')
export const tailDomain = (n: number): string => `shop-${number(n, 3)}.example`
export const isVanityHost = (host: number): boolean => host % 3 === 0

function tailHost(n: number): IspRow {
  const name = `box-${number(n, 2)}`
  const mx = `mx1.${name}.example`
  const tenants = Array.from({ length: TAIL_DOMAINS / TAIL_HOSTS }, (_, k) => tailDomain(n + k * TAIL_HOSTS))
  const { ehlo, behaviours } = MANNERS[n] ?? manner(PIPED)
  const missing = (behaviour: Behaviour): boolean => !behaviours.some(({ name: has }) => has === behaviour.name)
  return {
    name,
    hosts: [mx],
    ehlo,
    idleMs: 60_000,
    domains: tenants.map((domain) => ({ domain, mx: [[10, isVanityHost(n) ? `mx.${domain}` : mx]] })),
    vanity: isVanityHost(n) ? tenants.map((domain) => `mx.${domain}`) : [],
    behaviours: [...behaviours, ...[unknownUser(), mailboxFull('rcpt')].filter(missing)],
  }
}

export function tail(): readonly IspRow[] {
  return [...Array.from({ length: TAIL_HOSTS }, (_, n) => tailHost(n)), withoutMx()]
}

export const NO_MX_DOMAINS = ['no-mx-1.example', 'no-mx-2.example', 'no-mx-3.example'] as const
/** RFC 7505: takes no mail at all. */
export const NULL_MX_DOMAIN = 'null-mx.example'
export const NXDOMAIN = 'no-such-domain.example'
export const SERVFAIL_DOMAIN = 'servfail.example'

/** Domains with an address and no MX (RFC 5321 5.1: the address is the implicit MX). */
function withoutMx(): IspRow {
  return {
    name: 'no-mx',
    hosts: ['www.no-mx.example'],
    ehlo: PIPED,
    idleMs: 60_000,
    domains: NO_MX_DOMAINS.map((domain) => ({ domain, mx: [] })),
    behaviours: [noTls(), unknownUser(), mailboxFull('rcpt')],
  }
}
