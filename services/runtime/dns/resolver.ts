import { addressesOf } from './addresses.ts'
import type { Addresses, Family } from './addresses.ts'
import { ALIASES_MAX, failure, noSuchName, readReply } from './answer.ts'
import type { Answer } from './answer.ts'
import { createTtlCache } from './cache.ts'
import { createControl } from './control.ts'
import { openExchange } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { mailHostsOf } from './mail-hosts.ts'
import type { MailHosts } from './mail-hosts.ts'
import { dnsName, reverseName } from './names.ts'
import { parseDnsServer, systemDnsServers } from './servers.ts'
import type { DnsServer } from './servers.ts'
import type { QueryType } from './wire.ts'

/**
 * A stub resolver with a memory: asks the system's resolvers (or the given ones), never throws for what DNS says, and tells TTL, rcode and AD, which
 * `node:dns` does not. Names are asked once however many ask for them at the same time.
 */
export interface Resolver extends AsyncDisposable {
  resolve<T extends QueryType>(name: string, type: T): Promise<Answer<T>>
  /** Where mail for a domain goes (RFC 5321 5.1, RFC 7505). */
  mailHosts(domain: string): Promise<MailHosts>
  /** A host's addresses, IPv4 first; an address is its own. */
  addresses(host: string, family?: Family): Promise<Addresses>
  /** The names an address points back to; NXDOMAIN for what is no address. */
  ptr(address: string): Promise<Answer<'PTR'>>
  txt(name: string): Promise<Answer<'TXT'>>
}

export interface ResolverOptions {
  /** `127.0.0.1:5355`, `[::1]:53`; default: the system's */
  readonly servers?: readonly string[] | undefined
  readonly timeoutMs?: number | undefined
  readonly tries?: number | undefined
  readonly cacheMax?: number | undefined
  /** names that surely exist: an NXDOMAIN is passed on, and remembered, only while one of them resolves; default: it always is */
  readonly control?: readonly string[] | undefined
  /** a clock that never goes back, milliseconds */
  readonly now?: (() => number) | undefined
}

/** A resolver that knows the answer says so in milliseconds; one that must ask around takes up to a second or two. 1.5 + 3 + 6 s a server. */
const TIMEOUT_MS = 1_500
const TRIES = 3
/** ~300 bytes each: 30 MB at the worst. A campaign of millions sees some ten thousand domains. */
const CACHE_MAX = 100_000

/** Throws when `servers` holds something that is no address with a port, or when there is no server at all: a matter of configuration. */
export function createResolver(options: ResolverOptions = {}): Resolver {
  const servers = serversOf(options.servers)
  const now = options.now ?? (() => performance.now())
  const exchange = openExchange({ servers, timeoutMs: options.timeoutMs ?? TIMEOUT_MS, tries: options.tries ?? TRIES })
  const cache = createTtlCache<Answer>(options.cacheMax ?? CACHE_MAX)
  const asking = new Map<string, Promise<Answer>>()
  const names = options.control ?? []
  const control = createControl(names, async (name) => (await askAndFollow(exchange, name, 'MX')).records.length > 0)

  /** No name exists any more, says the resolver: then it is the resolver that is believed no more. */
  async function believed<T extends QueryType>(answer: Answer<T>, name: string): Promise<Answer<T>> {
    if (answer.rcode !== 'NXDOMAIN' || (await control.isSane())) return answer
    return failure('DOUBTED', `the resolver says NXDOMAIN for ${name}, and nothing for ${names.join(', ')} either`)
  }

  async function resolve<T extends QueryType>(text: string, type: T): Promise<Answer<T>> {
    const name = dnsName(text)
    if (name === null) return noSuchName()
    const key = `${type} ${name}`
    const known = cache.get(key, now())
    // The key holds the type, so what lies there is of that type.
    if (known !== null) return { ...(known.value as Answer<T>), ttlS: Math.ceil(known.leftMs / 1_000) }
    const running = asking.get(key)
    if (running !== undefined) return running as Promise<Answer<T>>
    const fresh = askAndFollow(exchange, name, type)
      .then((answer) => believed(answer, name))
      .then((answer) => {
        cache.set(key, answer, answer.ttlS * 1_000, now())
        return answer
      })
      .finally(() => asking.delete(key))
    asking.set(key, fresh)
    return fresh
  }

  return {
    resolve,
    mailHosts: (domain) => mailHostsOf(resolve, domain),
    addresses: (host, family) => addressesOf(resolve, host, family),
    ptr: async (address) => {
      const name = reverseName(address)
      return name === null ? noSuchName() : resolve(name, 'PTR')
    },
    txt: (name) => resolve(name, 'TXT'),
    [Symbol.asyncDispose]: () => exchange[Symbol.asyncDispose](),
  }
}

async function askAndFollow<T extends QueryType>(exchange: Exchange, asked: string, type: T): Promise<Answer<T>> {
  let [name, ttlS, ad] = [asked, Number.POSITIVE_INFINITY, true]
  for (let aliases = 0; aliases <= ALIASES_MAX; aliases += 1) {
    const result = await exchange.ask({ name, type })
    if ('noReply' in result) return failure('TIMEOUT', `${type} ${name}: ${result.noReply}`)
    const reading = readReply({ name, type }, result.reply)
    if (reading.kind === 'answer') return { ...reading.answer, ttlS: Math.min(ttlS, reading.answer.ttlS), ad: ad && reading.answer.ad }
    name = reading.name
    ttlS = Math.min(ttlS, reading.ttlS)
    ad = ad && reading.ad
  }
  return failure('SERVFAIL', `${asked}: more than ${ALIASES_MAX} CNAMEs in a row`)
}

function serversOf(texts: readonly string[] | undefined): readonly DnsServer[] {
  const servers = texts?.map((text) => {
    const server = parseDnsServer(text)
    if (server === null) throw new Error(`dns: "${text}" is not an address with an optional port, such as 127.0.0.1:5355 or [::1]:53`)
    return server
  })
  const chosen = servers ?? systemDnsServers()
  if (chosen.length === 0) throw new Error('dns: no resolver is known; set network.dns in the fleet file or a nameserver in /etc/resolv.conf')
  return chosen
}
