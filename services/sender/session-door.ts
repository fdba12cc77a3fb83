import type { Lease } from '../../protocol/messages/permission.ts'
import type { MonoMs } from '../../protocol/words.ts'
import type { LeaseHolder } from './lease-holder.ts'
import { type Finding, foundWithoutReply } from './policy/attempt.ts'
import { findingFrom, type Judge } from './policy/judging.ts'
import { Outlets } from './policy/outlets.ts'
import type { Verdict } from './policy/replies/verdict.ts'
import { walkVerdict } from './policy/replies/walk.ts'
import type { Hop } from './policy/route.ts'
import type { Routes } from './routes.ts'
import { sessionTrouble } from './policy/tls/host-tls.ts'
import type { TlsTrouble } from './policy/tls/need.ts'
import { cannotRequire } from './policy/tls/require.ts'
import { connectThrough, parseEgress } from './smtp/egress.ts'
import { openSession } from './smtp/open.ts'
import type { SmtpSession } from './smtp/session.ts'
import type { Timeouts } from './smtp/timeouts.ts'
import type { PlaintextHosts } from './tls/plaintext-hosts.ts'
import type { Roots } from './tls/roots.ts'
import type { TlsReporter } from './tls/tls-reporter.ts'

/** the reason of an outcome that blames `us` when nothing gets out */
const PORT_CLOSED = 'port-25-closed'

/** Where sessions come from, and which hosts cannot do TLS. */
export class Door {
  readonly routes: Routes
  readonly judge: Judge
  readonly timeouts: Timeouts
  readonly roots: Roots
  readonly plaintext: PlaintextHosts
  readonly reporter: Pick<TlsReporter, 'seen'>
  readonly outlets = new Outlets()
  readonly #mono: () => MonoMs

  constructor(options: {
    routes: Routes
    judge: Judge
    timeouts: Timeouts
    roots: Roots
    plaintext: PlaintextHosts
    reporter: Pick<TlsReporter, 'seen'>
    mono: () => MonoMs
  }) {
    this.routes = options.routes
    this.judge = options.judge
    this.timeouts = options.timeouts
    this.roots = options.roots
    this.plaintext = options.plaintext
    this.reporter = options.reporter
    this.#mono = options.mono
  }

  timedOut({ ip, site }: Pick<Lease, 'ip' | 'site'>): 'host' | 'us' {
    return this.outlets.timedOut(ip, site, this.#mono())
  }

  /** for TLS reports; a next hop of our own choice is nobody's policy */
  tell({ host, tls }: Hop, ip: string, trouble: TlsTrouble | null): void {
    if (tls && tls.shown.domain !== '') this.reporter.seen({ shown: tls.shown, trouble, ip, mx: host })
  }

  tlsFor(host: string, policy: Lease['terms']['tls']): Lease['terms']['tls'] {
    return policy === 'opportunistic' && this.plaintext.has(host) ? 'off' : policy
  }
}

export type DoorAnswer = { readonly kind: 'open'; readonly session: SmtpSession } | { readonly kind: 'shut'; readonly finding: Finding | null }

/**
 * The MX walk (RFC 5321 5.1, delivery.md §4): hop by hop while it is the host's fault; not after "too many connections", nor where the source is unwelcome.
 * `finding: null` = the lease ended on the way.
 */
export async function openDoor(hops: readonly Hop[], every: readonly string[], holder: LeaseHolder, door: Door): Promise<DoorAnswer> {
  const { lease } = holder
  let finding: Finding | null = null
  /** a host that may do later stands before those that will not do */
  let waits: Finding | null = null
  const walked = new Map<string, Verdict>()
  for (const hop of hops) {
    if (!(await holder.mayConnect())) return { kind: 'shut', finding: null }
    const tls = hop.tls?.need ? 'required' : door.tlsFor(hop.host, lease.terms.tls)
    let opened = await open(hop, holder, tls, door)
    if (opened.kind === 'failed' && opened.tlsBroken && tls === 'opportunistic' && (await holder.mayConnect())) {
      await door.plaintext.broke(hop.host)
      opened = await open(hop, holder, 'off', door)
    }
    if (opened.kind === 'open') {
      door.outlets.connected(lease.ip)
      door.routes.worked(hop)
      if (hop.tls) door.tell(hop, lease.ip, sessionTrouble(hop.tls, opened.session.facts.tls))
      if (!hop.requireTls || opened.session.facts.extensions.keywords.has('REQUIRETLS')) return opened
      opened.session.quit()
      finding = cannotRequire(`${hop.host} does not offer it`, hop.host)
      continue
    }
    const { reply, fault, stage, trouble } = opened
    if (stage !== 'connect') door.outlets.connected(lease.ip)
    else if (fault?.code === 'ETIMEDOUT' && door.timedOut(lease) === 'us') {
      // The next host would not answer either, and none of them is to be left alone for it.
      const because = `${PORT_CLOSED}: no answer from five sites within five minutes, ${hop.host} the last`
      return { kind: 'shut', finding: { ...foundWithoutReply('deferred', 'unreachable', 'us', because, 'connect'), mx: hop.host } }
    }
    if (trouble !== undefined) {
      // Not the host's rest: mail of domains that ask for less goes there as before. The next host may do better; in plaintext nothing goes.
      const because = `${hop.host}: ${trouble}${reply ? ` (${reply.code} ${reply.text})` : fault && fault.code !== 'TLS_POLICY' ? ` (${fault.message})` : ''}`
      // NOTE Its words, not its reply: a 5xx to STARTTLS would count as a refusal of the mail, and end it.
      finding = hop.requireTls
        ? cannotRequire(because, hop.host)
        : { ...foundWithoutReply('deferred', 'tls-policy', 'host', because, 'starttls'), mx: hop.host }
      door.routes.unmet(hop, because)
      door.tell(hop, lease.ip, trouble)
      continue
    }
    const heard = { reply, fault, stage, provider: lease.provider, unknown: lease.terms.unknown, source: `${lease.ip} ${lease.site}` }
    const verdict = door.judge(heard)
    finding = { ...findingFrom(heard, verdict, hop.host, null), outcome: 'deferred' } // before the first RCPT nothing is a recipient's outcome (delivery.md §3)
    waits = finding
    if (verdict.blames !== 'host') return { kind: 'shut', finding }
    walked.set(hop.host, verdict)
    const takesNone = verdict.class === 'null-mx'
    door.routes.failed(hop.host, finding.reply ? `${finding.reply.code} ${finding.reply.text}` : (finding.because ?? opened.stage), takesNone)
  }
  const found = waits ?? finding
  return { kind: 'shut', finding: found && ofAllHosts(found, every, walked, holder.lease.provider, door.routes) }
}

/** What one host says may be its own trouble, what all of a domain's hosts say is not (delivery.md §3, §4). */
function ofAllHosts(finding: Finding, every: readonly string[], walked: ReadonlyMap<string, Verdict>, provider: string | null, routes: Routes): Finding {
  const [first, ...others] = walked.values()
  if (first === undefined || finding.class === 'tls-policy' || !every.every((host) => walked.has(host) || routes.takesNone(host))) return finding
  const { outcome, class: replyClass, blames } = walkVerdict([first, ...others])
  if (replyClass === 'null-mx') return { ...finding, outcome: outcome === 'bounced' ? 'bounced' : 'deferred', blames, suppress: outcome === 'bounced' }
  // The hosts of one domain are the site in the tail; at a provider they are one customer's.
  return provider === null && every.every((host) => walked.has(host)) ? { ...finding, blames } : finding
}

/** The address is occupied from before the connect until the socket is gone. */
async function open(hop: Hop, holder: LeaseHolder, tls: Lease['terms']['tls'], { timeouts, roots }: Door) {
  const { lease } = holder
  holder.occupy(hop.address, 1)
  const opened = await openSession({
    host: hop.host,
    address: hop.address,
    port: hop.port,
    localAddress: lease.egress === 'auto' ? null : lease.bind,
    connectVia: connectThrough(parseEgress(lease.egress) ?? { kind: 'bind' }),
    ehlo: lease.ehlo,
    tls,
    need: hop.tls?.need ?? null,
    roots: roots.context,
    protocol: lease.terms.protocol,
    timeouts: { ...timeouts, idleMs: lease.terms.idleMs },
  })
  if (opened.kind === 'open') void opened.session.over.then(() => holder.occupy(hop.address, -1))
  else holder.occupy(hop.address, -1)
  return opened
}
