import type { Lease } from '../../protocol/messages/permission.ts'
import type { MonoMs } from '../../protocol/words.ts'
import { isIP } from 'node:net'
import { whyNotConnect } from '../runtime/dns/address-scope.ts'
import type { Family } from '../runtime/dns/addresses.ts'
import type { MailHost } from '../runtime/dns/mail-hosts.ts'
import type { MailSite } from '../runtime/dns/mail-sites.ts'
import type { Resolver } from '../runtime/dns/resolver.ts'
import type { Hop, NetworkRules, Route } from './policy/route.ts'
import type { HostTls } from './policy/tls/host-tls.ts'
import { meets } from './policy/tls/need.ts'
import type { SessionFacts } from './smtp/types.ts'
import type { TlsReporter } from './tls/tls-reporter.ts'
import type { TlsRules } from './tls/tls-rules.ts'

/** after the first, second … failure in a row a host is left alone for so long (delivery.md §4) */
const HOST_REST_MS = [60_000, 300_000, 900_000, 1_800_000]
const HOSTS_AN_ATTEMPT = 2
const ADDRESSES_AN_ATTEMPT = 4
/** memory of failed hosts; the oldest go first */
const HOSTS_REMEMBERED = 50_000

/** The hosts of one site, and whether a backup at another stands behind them. */
interface Hosts {
  readonly hosts: readonly MailHost[]
  readonly further: boolean
}

/** Of a lease: under which site's limits, by which terms, from which source. */
type Way = Pick<Lease, 'terms' | 'site' | 'bind' | 'egress'>

interface Failure {
  readonly times: number
  readonly until: MonoMs
  readonly because: string
  /** it said that it takes no mail at all (521, RFC 7504): that holds longer than it is left alone, or the last of three would never find the first in memory */
  readonly noneUntil: MonoMs
}

/** Where mail for a domain goes, and which hosts have lately been out of reach. */
export class Routes {
  readonly #resolver: Resolver
  readonly #mono: () => MonoMs
  readonly #dice: () => number
  readonly #firstRestMs: () => number
  readonly #tls: Pick<TlsRules, 'of'> | null
  readonly #reporter: Pick<TlsReporter, 'refused'> | null
  readonly #sitesOf: ((domain: string, hosts: readonly MailHost[]) => Promise<readonly MailSite[]>) | null
  readonly #failures = new Map<string, Failure>()

  /** `firstRestMs`: the retry table's first wait for a host; a lab's short one shortens the memory in proportion. */
  constructor(options: {
    resolver: Resolver
    mono: () => MonoMs
    dice: () => number
    firstRestMs: () => number
    tls?: Pick<TlsRules, 'of'>
    reporter?: Pick<TlsReporter, 'refused'>
    /** the sites of a domain's hosts; absent: all of them are one */
    sitesOf?: (domain: string, hosts: readonly MailHost[]) => Promise<readonly MailSite[]>
  }) {
    this.#resolver = options.resolver
    this.#mono = options.mono
    this.#dice = options.dice
    this.#firstRestMs = options.firstRestMs
    this.#tls = options.tls ?? null
    this.#reporter = options.reporter ?? null
    this.#sitesOf = options.sitesOf ?? null
  }

  /** `site`: whose limits hold. A backup MX of another site is reached under that site's lease, never under this one (delivery.md §6). */
  async of(domain: string, { terms, site, ...source }: Way, network: NetworkRules): Promise<Route> {
    const family = familyOf(source)
    if (terms.host !== undefined) return this.#fixed(terms.host, terms.port ?? network.smtpPort, family)
    const mail = await this.#resolver.mailHosts(domain)
    switch (mail.kind) {
      case 'null-mx':
        return { kind: 'none', class: 'null-mx', because: `${domain} takes no mail (null MX, RFC 7505)` }
      case 'nxdomain':
        return { kind: 'none', class: 'no-such-domain', because: `${domain} does not exist` }
      case 'no-mail':
        return { kind: 'none', class: 'no-such-domain', because: `${domain} has neither MX nor address` }
      case 'tempfail':
        return { kind: 'dns', because: mail.because }
      case 'hosts':
        return this.#hops(domain, await this.#ofSite(domain, mail.hosts, site), mail.hosts, network, family)
    }
  }

  /** May this domain's mail, with this route, go over a session that is open, perhaps for another domain? */
  async bears(session: Pick<SessionFacts, 'host' | 'address' | 'port' | 'tls'>, route: Route, domain: string): Promise<boolean> {
    if (route.kind !== 'hops' || !leadsTo(route, session)) return false
    if (this.#tls === null || route.hops.every((hop) => hop.tls === undefined)) return true
    // The same box by another name proves nothing of the name that mail goes to.
    if (!route.hosts.has(session.host)) return route.hops.every((hop) => !hop.tls?.need)
    const rules = await (await this.#tls.of(domain)).host(session.host, session.port)
    return rules.kind === 'go' && meets(session.tls, rules.need)
  }

  /** The host did not answer, or refused as a host: it is left alone for a while, longer each time. */
  failed(host: string, because: string, takesNone = false): void {
    this.#fail(host, because, takesNone)
  }

  /** It said lately that it takes no mail at all. */
  takesNone(host: string): boolean {
    const failure = this.#failures.get(host)
    return failure !== undefined && failure.noneUntil > this.#mono()
  }

  /** The host's TLS is not what this domain's policy asks for. */
  unmet({ host, tls }: Hop, because: string): void {
    if (tls) this.#fail(underPolicy(host, tls), because)
  }

  worked({ host, tls }: Hop): void {
    this.#failures.delete(host)
    if (tls) this.#failures.delete(underPolicy(host, tls))
  }

  #fail(host: string, because: string, takesNone = false): void {
    const now = this.#mono()
    const before = this.#failures.get(host)
    const noneUntil = takesNone ? now + this.#restMs(HOST_REST_MS.length) : (before?.noneUntil ?? Number.NEGATIVE_INFINITY)
    if (before !== undefined && before.until > now) {
      // Set out before it was left alone: the same outage, met by another session. Counted on, five sessions at once would be half an hour.
      this.#failures.set(host, { ...before, because, noneUntil })
      return
    }
    const times = (before?.times ?? 0) + 1
    this.#failures.delete(host)
    this.#failures.set(host, { times, until: now + this.#restMs(times), because, noneUntil })
    if (this.#failures.size > HOSTS_REMEMBERED) {
      const oldest = this.#failures.keys().next()
      if (!oldest.done) this.#failures.delete(oldest.value)
    }
  }

  /** How long a host is left alone after so many failures in a row. */
  #restMs(times: number): number {
    return ((HOST_REST_MS[Math.min(times, HOST_REST_MS.length) - 1] as number) * this.#firstRestMs()) / (HOST_REST_MS[0] as number)
  }

  async #fixed(host: string, port: number, family: Family): Promise<Route> {
    const found = await this.#resolver.addresses(host, family)
    if (found.kind === 'tempfail') return { kind: 'dns', because: found.because }
    if (found.kind === 'none') return { kind: 'dns', because: `next hop ${host} has no address` }
    const hops = found.addresses.slice(0, ADDRESSES_AN_ATTEMPT).map((address) => ({ host, address, port }))
    return { kind: 'hops', hosts: new Set([host]), addresses: addressesOf(hops), every: [host], further: false, hops }
  }

  async #ofSite(domain: string, hosts: readonly MailHost[], site: string | null): Promise<Hosts> {
    if (this.#sitesOf === null || site === null || hosts.every(({ preference }) => preference === hosts[0]?.preference)) return { hosts, further: false }
    const sites = await this.#sitesOf(domain, hosts)
    // MX records that changed on the way: the first site's hosts, until the next attempt is under that site.
    const at = Math.max(
      0,
      sites.findIndex((one) => one.site.site === site),
    )
    return { hosts: sites[at]?.hosts ?? hosts, further: at < sites.length - 1 }
  }

  async #hops(domain: string, { hosts, further }: Hosts, every: readonly MailHost[], network: NetworkRules, family: Family): Promise<Route> {
    const hops: Hop[] = []
    const reasons: string[] = []
    const rules = await this.#tls?.of(domain)
    let tried = 0
    let unmet = false
    let downUntil = Number.POSITIVE_INFINITY
    let forbidden = false
    const preferences = new Set<number>()
    for (const { host, preference } of this.#ordered(hosts)) {
      if (tried >= HOSTS_AN_ATTEMPT || hops.length >= ADDRESSES_AN_ATTEMPT) break
      const failure = this.#failures.get(host)
      if (failure && failure.until > this.#mono()) {
        downUntil = Math.min(downUntil, failure.until)
        reasons.push(`${host}: ${failure.because}`)
        continue
      }
      const tls = await rules?.host(host, network.smtpPort)
      const unmetBefore = tls === undefined ? undefined : this.#failures.get(underPolicy(host, tls))
      if (tls?.kind === 'no' || (unmetBefore && unmetBefore.until > this.#mono())) {
        unmet = true
        if (tls?.kind === 'no') this.#reporter?.refused(tls.shown, tls.trouble, host)
        if (unmetBefore) downUntil = Math.min(downUntil, unmetBefore.until)
        reasons.push(tls?.kind === 'no' ? tls.because : `${host}: ${unmetBefore?.because}`)
        continue
      }
      const found = await this.#resolver.addresses(host, family)
      if (found.kind !== 'addresses') {
        reasons.push(`${host}: ${found.kind === 'none' ? `has no ${family === 'any' ? '' : `IPv${family} `}address` : found.because}`)
        continue
      }
      tried++
      preferences.add(preference)
      for (const address of found.addresses.slice(0, ADDRESSES_AN_ATTEMPT - hops.length)) {
        const why = whyNotConnect(address, network)
        if (why === null) hops.push({ host, address, port: network.smtpPort, ...(tls && { tls }) })
        else {
          forbidden = true
          reasons.push(`${host} is ${address}: ${why}`)
        }
      }
    }
    if (hops.length > 0) {
      const equals = hosts.filter(({ preference }) => preferences.has(preference)).map(({ host }) => host)
      return { kind: 'hops', hops, hosts: new Set(equals), addresses: addressesOf(hops), every: every.map(({ host }) => host), further }
    }
    const because = `${domain}: ${reasons.join('; ')}`
    const untilMs = downUntil < Number.POSITIVE_INFINITY ? downUntil - this.#mono() : null
    if (every.every(({ host }) => this.takesNone(host))) return { kind: 'none', class: 'null-mx', because }
    if (unmet) return { kind: 'down', because, untilMs, class: 'tls-policy' }
    if (forbidden) return { kind: 'forbidden', because }
    if (untilMs !== null) return { kind: 'down', because, untilMs, class: 'unreachable' }
    return { kind: 'dns', because }
  }

  /** By preference, equals in random order (RFC 5321 5.1). */
  #ordered(hosts: readonly { preference: number; host: string }[]): readonly { host: string; preference: number }[] {
    return hosts.map((host) => ({ ...host, dice: this.#dice() })).sort((a, b) => a.preference - b.preference || a.dice - b.dice)
  }
}

/** Does an open session lead to this route's hosts? Ports are the same for all of a network, or the fixed host's own. */
export function leadsTo(
  route: Pick<Extract<Route, { kind: 'hops' }>, 'hosts' | 'addresses'>,
  session: { readonly host: string; readonly address: string },
): boolean {
  return route.hosts.has(session.host) || route.addresses.has(session.address)
}

/** An address of one family reaches no host of the other: its addresses need not even be asked for. */
function familyOf({ bind, egress }: Pick<Lease, 'bind' | 'egress'>): Family {
  const family = egress === 'auto' ? 0 : isIP(bind)
  return family === 4 || family === 6 ? family : 'any'
}

function addressesOf(hops: readonly Hop[]): ReadonlySet<string> {
  return new Set(hops.map(({ address }) => address))
}

/** What a host failed at under one kind of need is remembered for that need alone: other domains' mail goes there as before. */
function underPolicy(host: string, tls: HostTls): string {
  return `${host} ${tls.kind === 'go' ? (tls.need?.kind ?? 'any') : 'no'}`
}
