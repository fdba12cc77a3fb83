import type { FleetTls } from '../../../protocol/fleet.ts'
import { dnsName } from '../../runtime/dns/names.ts'
import type { Resolver } from '../../runtime/dns/resolver.ts'
import { type HostTls, hostTls, type TlsaFound } from '../policy/tls/host-tls.ts'
import type { StsAnswer, StsPolicies } from './sts-policies.ts'

/** What a domain's published policies mean for a host of its mail. */
export interface DomainTls {
  host(name: string, port: number): Promise<HostTls>
}

const NOTHING: StsAnswer = { policy: null, failure: null }
const NO_TLSA: TlsaFound = { kind: 'none' }

/** Looks up what a domain publishes about TLS to its mail hosts; policy/tls/host-tls.ts says what it comes to. */
export class TlsRules {
  readonly #resolver: Resolver
  readonly #policies: Pick<StsPolicies, 'of'>
  readonly #fleet: () => FleetTls

  constructor(options: { resolver: Resolver; policies: Pick<StsPolicies, 'of'>; fleet: () => FleetTls }) {
    this.#resolver = options.resolver
    this.#policies = options.policies
    this.#fleet = options.fleet
  }

  async of(domain: string): Promise<DomainTls> {
    const name = dnsName(domain)
    const { mta_sts, dane } = this.#fleet()
    const [{ policy, failure }, secureMx] = await Promise.all([
      name !== null && mta_sts ? this.#policies.of(name) : NOTHING,
      name !== null && dane ? this.#isMxSecure(name) : false,
    ])
    const stsTrouble = failure?.trouble ?? null
    return {
      host: async (host, port) => {
        const tlsa = secureMx ? await this.#tlsa(host, port) : NO_TLSA
        return hostTls(host, { domain: name ?? domain, sts: policy, stsTrouble, tlsa, secureMx })
      },
    }
  }

  /** Of a domain without MX the denial must be secure (RFC 7672 2.2.1). */
  async #isMxSecure(domain: string): Promise<boolean> {
    const mx = await this.#resolver.resolve(domain, 'MX')
    return mx.ad && (mx.rcode === 'NOERROR' || mx.rcode === 'NXDOMAIN')
  }

  /** NOTE Only behind secure addresses: name servers of unsigned zones that choke on TLSA would be held against their mail otherwise (RFC 7672 2.2.2). */
  async #tlsa(host: string, port: number): Promise<TlsaFound> {
    const addresses = (await Promise.all([this.#resolver.resolve(host, 'A'), this.#resolver.resolve(host, 'AAAA')])).filter(({ records }) => records.length > 0)
    if (addresses.length === 0 || addresses.some(({ ad }) => !ad)) return NO_TLSA
    const name = `_${port}._tcp.${host}`
    const { rcode, records, ad, because } = await this.#resolver.resolve(name, 'TLSA')
    if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return { kind: 'failed', because: because ?? `TLSA ${name}: ${rcode}` }
    return ad ? { kind: 'secure', records } : NO_TLSA
  }
}
