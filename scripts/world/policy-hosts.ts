/** The policy hosts of MTA-STS (RFC 8461 3.3): one HTTPS server for all domains that publish a policy, with a certificate for each by SNI. */
import { once } from 'node:events'
import https from 'node:https'
import type { SecureContext } from 'node:tls'
import type { ZoneRecord } from './dns/zone.ts'
import { type Authority, contextOf } from './certificate.ts'

export interface StsRow {
  readonly mode: 'enforce' | 'testing' | 'none'
  readonly mx: readonly string[]
  readonly maxAgeS: number
}

export interface PolicyHosts extends AsyncDisposable {
  readonly port: number
  /** what the domain publishes from now on; the id changes with each, so that senders hear of it */
  publish(domain: string, policy: StsRow): readonly ZoneRecord[]
  /** GETs answered, by domain */
  readonly asked: ReadonlyMap<string, number>
}

/** Nobody else listens there (addresses.ts gives out less than .250). */
export const POLICY_PART = 251
const TTL_S = 1

/** `address` is what DNS says, `listensOn` may be all addresses. */
export async function startPolicyHosts(authority: Authority, address: string, listensOn: string, port: number): Promise<PolicyHosts> {
  const policies = new Map<string, StsRow>()
  const contexts = new Map<string, SecureContext>()
  const asked = new Map<string, number>()
  let lastId = 0
  const contextFor = (name: string): SecureContext => {
    const context = contexts.get(name) ?? contextOf(authority.issue([name]))
    contexts.set(name, context)
    return context
  }
  const server = https.createServer({ SNICallback: (name, done) => done(null, contextFor(name)) }, (request, response) => {
    const domain = (request.headers.host ?? '').replace(/^mta-sts\./, '')
    const policy = policies.get(domain)
    if (policy === undefined || request.url !== '/.well-known/mta-sts.txt') return void response.writeHead(404).end()
    asked.set(domain, (asked.get(domain) ?? 0) + 1)
    const lines = ['version: STSv1', `mode: ${policy.mode}`, ...policy.mx.map((pattern) => `mx: ${pattern}`), `max_age: ${policy.maxAgeS}`]
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`${lines.join('\r\n')}\r\n`)
  })
  server.listen(port, listensOn)
  await once(server, 'listening')
  const where = server.address()
  return {
    port: where !== null && typeof where === 'object' ? where.port : port,
    asked,
    publish(domain, policy) {
      policies.set(domain, policy)
      lastId += 1
      return [
        { name: `_mta-sts.${domain}`, ttlS: TTL_S, type: 'TXT', data: [`v=STSv1; id=${Date.now()}n${lastId};`] },
        { name: `mta-sts.${domain}`, ttlS: TTL_S, type: 'A', data: address },
      ]
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
