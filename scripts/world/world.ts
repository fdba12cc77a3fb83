/** The simulated internet as one value: DNS, ISPs behind a TCP front, a record of what arrived.
 *
 *  OWNS       its sockets, the record, the ISPs' states
 *  INVARIANT  what the far end has is in the record before the sender hears the reply
 *  NOT HERE   what an ISP does (models/), what DNS answers (dns/), what counts as lost (verdict.ts) */
import { allocate, type Addresses, INBOUND_PART } from './addresses.ts'
import { behavioursMet, type IspMet } from './behaviours-met.ts'
import { openAuthority } from './certificate.ts'
import { certificatesOf } from './certificates-of.ts'
import { type DesignOf, designer } from './design.ts'
import { seededDice } from './dice.ts'
import { openFaults, type DnsFault } from './dns/answer.ts'
import { ispRecords } from './dns/isp-records.ts'
import { senderRecords, type SenderFacts } from './dns/sender-records.ts'
import { type BlockListTests, blockListRecords } from './dns/block-list.ts'
import { startDns } from './dns/server.ts'
import { openZone, publish, withdraw } from './dns/zone.ts'
import type { Fault } from './models/fault.ts'
import { type Isp, type IspRow, openIsp } from './models/isp.ts'
import { PROVIDERS } from './models/isps.ts'
import { SERVFAIL_DOMAIN, tail } from './models/tail.ts'
import { type Plant, plantAll } from './plant.ts'
import { POLICY_PART, type StsRow, startPolicyHosts } from './policy-hosts.ts'
import { openRecord, type WorldRecord } from './record.ts'
import { listenForMail } from './smtp/listen.ts'
import { summarise, type Summary } from './summary.ts'
import { judge, type Published, type Verdict } from './verdict.ts'
import { openWaiting } from './waiting.ts'

export type WorldOptions = {
  /** first three bytes of the ISPs' addresses; default 127.0.2 */
  readonly base?: string
  /** `each`: listen on each ISP's own address (default) · an address such as 0.0.0.0: one listener for all of them */
  readonly bind?: string
  /** default 0: any free port, the same for all ISPs */
  readonly smtpPort?: number
  /** default 127.0.0.1, port 0 */
  readonly dnsAddress?: string
  readonly dnsPort?: number
  /** names of ISPs that prove themselves: certificates of the world's authority, and an MTA-STS policy in mode enforce for all of their domains */
  readonly enforce?: readonly string[]
  /** of the MTA-STS policy hosts; default 0 */
  readonly stsPort?: number
  /** `none`: every ISP is a plain server without limits that obeys address words (benchmarks) */
  readonly behaviours?: 'all' | 'none'
  /** instead of the built-in providers and tail */
  readonly rows?: readonly IspRow[]
  readonly seed?: number
  /** how many bodies to keep, the first ones; default 0 */
  readonly keepBodies?: number
  /** look for bare CR and LF, NUL and long lines; default yes */
  readonly checkForm?: 'yes' | 'no'
  readonly plants?: readonly Plant[]
}

export type World = AsyncDisposable & {
  readonly smtpPort: number
  readonly dnsPort: number
  /** `127.0.0.1:5355`, as the fleet file wants it */
  readonly dns: string
  readonly base: string
  /** certificate of the authority that issued those of the policy hosts and of some mail hosts, PEM: what `[tls] ca` has to name */
  readonly authority: string
  readonly stsPort: number
  /** what a mail host shows after STARTTLS, PEM */
  certificate(host: string): string
  readonly rows: readonly IspRow[]
  readonly addresses: Addresses
  readonly record: WorldRecord
  readonly designOf: DesignOf
  summary(): Summary
  verdict(published: Iterable<Published>): Verdict
  behavioursMet(): readonly IspMet[]
  /** Plants trouble at an ISP; the same id replaces. Throws RangeError for an unknown ISP. */
  fault(isp: string, id: string, fault: Fault): void
  lift(isp: string, id: string): void
  /** name, `*.name` or `*`; null lifts */
  dnsFault(name: string, fault: DnsFault | null): void
  /** `inbound` defaults to an address of the world where nobody listens */
  publishSenderRecords(facts: Omit<SenderFacts, 'inbound'> & { readonly inbound?: string }): void
  /** an MTA-STS policy of one of the domains, from now on */
  publishSts(domain: string, policy: StsRow): void
  publishText(name: string, text: string): void
  /** how often a domain's policy was fetched */
  policyFetches(domain: string): number
  /** A block list by DNS (RFC 5782): address → its code; replaces what the zone said before */
  publishBlockList(zone: string, listed: Readonly<Record<string, string>>, tests?: BlockListTests): void
  /** sessions open now from `source` (all sources without it) */
  openSessions(isp: string, source?: string): number
  /** Resolves when `holds` does, asked after each thing heard. Rejects after `timeoutMs`. */
  until(holds: (record: WorldRecord) => boolean, timeoutMs: number): Promise<void>
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { base = '127.0.2', bind = 'each', dnsAddress = '127.0.0.1', behaviours = 'all', seed = 1, keepBodies = 0 } = options
  const given = options.rows ?? [...PROVIDERS, ...tail()]
  const provers = new Set(options.enforce)
  const rows = (behaviours === 'all' ? given : given.map(withoutManners)).map((row) => (provers.has(row.name) ? provingItself(row) : row))
  const addresses = allocate(rows, base)
  const isps = new Map(rows.map((row) => [row.name, openIsp(row)]))
  const record = openRecord({ keepBodies, planted: plantAll(options.plants ?? []) })
  const designOf = designer(rows)
  const waiting = openWaiting(record)
  const zone = openZone(ispRecords(rows, addresses))
  const now = new Date()
  const authority = openAuthority("the simulated internet's authority", now)
  const certificates = certificatesOf(rows, authority, now)
  const dnsFaults = openFaults()
  dnsFaults.set.set(SERVFAIL_DOMAIN, 'servfail')

  await using opening = new AsyncDisposableStack()
  opening.use(waiting)
  const dns = opening.use(await startDns({ zone, faults: dnsFaults, address: dnsAddress, port: options.dnsPort ?? 0 }))
  const mail = opening.use(
    await listenForMail({
      addresses,
      isps,
      bind,
      port: options.smtpPort ?? 0,
      front: {
        now: Date.now,
        dice: seededDice(seed),
        secureContextOf: certificates.contextOf,
        keepsBodies: () => (keepBodies > 0 ? 'body' : 'nothing'),
        checksForm: options.checkForm ?? 'yes',
        onEvent(isp, event, received, body) {
          record.heard(isp.row.name, event, received, body, Date.now())
          waiting.ask()
        },
      },
    }),
  )
  const policyAddress = `${base}.${POLICY_PART}`
  const policyHosts = opening.use(await startPolicyHosts(authority, policyAddress, bind === 'each' ? policyAddress : bind, options.stsPort ?? 0))
  for (const { domains, sts } of rows) if (sts !== undefined) for (const { domain } of domains) publish(zone, policyHosts.publish(domain, sts))
  const parts = opening.move()

  function ispNamed(name: string): Isp {
    const isp = isps.get(name)
    if (isp === undefined) throw new RangeError(`no ISP is named ${name}; there are ${[...isps.keys()].join(' ')}`)
    return isp
  }
  function lift(isp: string, id: string): void {
    ispNamed(isp).faults = ispNamed(isp).faults.filter((one) => one.id !== id)
  }

  return {
    smtpPort: mail.port,
    dnsPort: dns.port,
    dns: `${dnsAddress}:${dns.port}`,
    base,
    authority: authority.cert,
    stsPort: policyHosts.port,
    certificate: certificates.of,
    rows,
    addresses,
    record,
    designOf,
    lift,
    summary: () => summarise(record, rows),
    verdict: (published) => judge(record.rcpts, published, designOf),
    behavioursMet: () => behavioursMet(rows, record.isps),
    fault(name, id, fault) {
      lift(name, id)
      const isp = ispNamed(name)
      isp.faults = [...isp.faults, { id, fault, struck: 0 }]
    },
    dnsFault(name, fault) {
      if (fault === null) dnsFaults.set.delete(name.toLowerCase())
      else dnsFaults.set.set(name.toLowerCase(), fault)
    },
    publishSenderRecords: (facts) => publish(zone, senderRecords({ inbound: `${base}.${INBOUND_PART}`, ...facts })),
    publishSts: (domain, policy) => publish(zone, policyHosts.publish(domain, policy)),
    publishText: (name, text) => publish(zone, [{ name, ttlS: 1, type: 'TXT', data: [text] }]),
    policyFetches: (domain) => policyHosts.asked.get(domain) ?? 0,
    publishBlockList(list, listed, tests = 'sound') {
      withdraw(zone, list)
      publish(zone, blockListRecords(list, listed, tests))
    },
    openSessions(name, source) {
      const { open, sessions } = ispNamed(name)
      return source === undefined ? sessions.size : (open.get(source) ?? 0)
    },
    until: waiting.until,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

function withoutManners(row: IspRow): IspRow {
  return { ...row, behaviours: row.behaviours.filter(({ name }) => name === 'unknown-user' || name === 'mailbox-full') }
}

function provingItself(row: IspRow): IspRow {
  const { hosts } = row
  return { ...row, certificates: Object.fromEntries(hosts.map((host) => [host, 'issued'])), sts: { mode: 'enforce', mx: hosts, maxAgeS: 86_400 } }
}
