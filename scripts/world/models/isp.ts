/** What a row says, and the state that one ISP keeps while the world runs. */
import type { CertificateKind } from '../certificate.ts'
import type { StsRow } from '../policy-hosts.ts'
import type { Behaviour, Rcpt } from './behaviour.ts'
import type { BehaviourName } from './names.ts'
import type { EventKind } from './event.ts'
import type { FaultState } from './fault.ts'
import { obeyAddresses, playLimits } from './obeying.ts'
import type { Reply } from './reply.ts'

export type Domain = { readonly domain: string; readonly mx: readonly (readonly [preference: number, host: string])[] }

export type IspRow = {
  readonly name: string
  /** MX hosts; each has a loopback address of its own */
  readonly hosts: readonly string[]
  readonly domains: readonly Domain[]
  /** MX names of the customers' own that lead to the first host (`mx.shop-007.example`) */
  readonly vanity?: readonly string[]
  /** EHLO keywords; STARTTLS is left out once TLS is on */
  readonly ehlo: readonly string[]
  readonly idleMs: number
  readonly behaviours: readonly Behaviour[]
  /** hosts whose certificate is not the self-signed one that all others show */
  readonly certificates?: Readonly<Record<string, CertificateKind>>
  /** what all of its domains publish by MTA-STS */
  readonly sts?: StsRow
}

export type Session = {
  readonly id: number
  readonly source: string
  readonly host: string
  tls: 'plain' | 'encrypted'
  greeted: boolean
  mails: number
  stored: number
  rcpts: number
  refused: number
  mail: { readonly from: string; readonly rcpts: Rcpt[] } | null
}

type Running = { readonly behaviour: Behaviour; state: unknown }

export type Isp = {
  readonly row: IspRow
  readonly domains: ReadonlySet<string>
  readonly sessions: Map<number, Session>
  /** source IP → sessions open */
  readonly open: Map<string, number>
  readonly hearing: ReadonlyMap<EventKind, readonly Running[]>
  faults: readonly FaultState[]
}

export function openIsp(row: IspRow): Isp {
  const limits = new Map<BehaviourName, Reply>()
  for (const { name, says } of row.behaviours) if (says !== undefined) limits.set(name, says)
  const hearing = new Map<EventKind, Running[]>()
  for (const behaviour of [...row.behaviours, playLimits(limits), obeyAddresses()]) {
    const running: Running = { behaviour, state: behaviour.start() }
    for (const kind of behaviour.hears) hearing.set(kind, [...(hearing.get(kind) ?? []), running])
  }
  return { row, domains: new Set(row.domains.map(({ domain }) => domain)), sessions: new Map(), open: new Map(), hearing, faults: [] }
}
