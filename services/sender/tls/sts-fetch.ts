import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { SecureContext } from 'node:tls'
import { whyNotConnect } from '../../runtime/dns/address-scope.ts'
import type { Resolver } from '../../runtime/dns/resolver.ts'
import { readPolicy, type StsPolicy } from '../policy/tls/mta-sts.ts'
import type { TlsTrouble } from '../policy/tls/need.ts'
import type { NetworkRules } from '../policy/route.ts'

export interface FetchTools {
  readonly resolver: Resolver
  readonly network: () => NetworkRules
  readonly roots: () => SecureContext
  readonly port: () => number
  /** default 10 s */
  readonly timeoutMs?: number
}

export type Fetched = StsPolicy | { readonly trouble: TlsTrouble; readonly problem: string }

/** RFC 8461 3.3 allows a minute; mail waits meanwhile, and a policy host that needs longer is asked again in 5 min. */
const FETCH_MS = 10_000
/** RFC 8461 3.3: at least this is read; more is no policy. */
const BODY_MAX = 65_536
const ADDRESSES_TRIED = 2

/** The policy of a domain from its policy host (RFC 8461 3.3): by HTTPS with a certificate that names the host, no redirects. Never rejects for what the host does. */
export async function fetchPolicy(domain: string, id: string, tools: FetchTools): Promise<Fetched> {
  const host = `mta-sts.${domain}`
  const found = await tools.resolver.addresses(host)
  if (found.kind !== 'addresses') return { trouble: 'sts-policy-fetch-error', problem: `${host} has no address` }
  // A stranger's record must not lead us into our own network here either.
  const addresses = found.addresses.filter((address) => whyNotConnect(address, tools.network()) === null).slice(0, ADDRESSES_TRIED)
  let last: Fetched = { trouble: 'sts-policy-fetch-error', problem: `${host} lies where this network must not go` }
  const deadline = AbortSignal.timeout(tools.timeoutMs ?? FETCH_MS)
  for (const address of addresses) {
    last = await askOnce(host, address, id, deadline, tools)
    if (!('trouble' in last) || deadline.aborted) return last
  }
  return last
}

async function askOnce(host: string, address: string, id: string, signal: AbortSignal, { roots, port }: FetchTools): Promise<Fetched> {
  const failed = (problem: string, trouble: TlsTrouble = 'sts-policy-fetch-error'): Fetched => ({ trouble, problem: `${host}: ${problem}` })
  const secure = { secureContext: roots() } // taken by tls.connect; Node's types of https do not know it
  const request = https.request({
    host: address,
    port: port(),
    servername: host,
    headers: { host },
    path: '/.well-known/mta-sts.txt',
    ...secure,
    agent: false,
    signal,
  })
  try {
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const type = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
    if (response.statusCode !== 200) return failed(`HTTP ${response.statusCode}`)
    if (type !== 'text/plain') return failed(`media type "${type}" is not text/plain`, 'sts-policy-invalid')
    let size = 0
    const pieces: Buffer[] = []
    for await (const piece of response as AsyncIterable<Buffer>) {
      size += piece.length
      if (size > BODY_MAX) return failed('more than 64 KB', 'sts-policy-invalid')
      pieces.push(piece)
    }
    const policy = readPolicy(Buffer.concat(pieces).toString('utf8'), id)
    return 'problem' in policy ? failed(policy.problem, 'sts-policy-invalid') : policy
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return failed(signal.aborted ? 'no policy in time' : message, isWebPki(code) ? 'sts-webpki-invalid' : 'sts-policy-fetch-error')
  } finally {
    request.destroy()
  }
}

/** OpenSSL's words for a certificate that does not do, and Node's for one that names another host. */
function isWebPki(code: string): boolean {
  return /CERT|SIGNATURE|ISSUER|ERR_TLS_CERT/.test(code)
}
