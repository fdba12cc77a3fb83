import type { HostTls } from './tls/host-tls.ts'

/** One place to connect to. */
export interface Hop {
  readonly host: string
  readonly address: string
  readonly port: number
  /** what the domain publishes about TLS to this host; absent for a next hop of our own choice */
  readonly tls?: Extract<HostTls, { kind: 'go' }>
  /** the mail asks for REQUIRETLS: a session without it is of no use */
  readonly requireTls?: true
}

export type Route =
  /** in the order to try: preference by preference, equals shuffled; at most 2 hosts and 4 addresses an attempt (delivery.md §4) */
  | {
      readonly kind: 'hops'
      readonly hops: readonly Hop[]
      /** every host of these preferences, chosen or not: an open session to one of them takes the mail as well */
      readonly hosts: ReadonlySet<string>
      /** of the hops: all customers of one hosting box, each with an MX name of their own, share a session to it (500-vanity-domains-one-box) */
      readonly addresses: ReadonlySet<string>
      /** every host there is, of whatever preference */
      readonly every: readonly string[]
      /** hosts of another site stand behind these: backups that are reached by an order under that site (delivery.md §6) */
      readonly further: boolean
    }
  | { readonly kind: 'none'; readonly class: 'no-such-domain' | 'null-mx'; readonly because: string }
  | { readonly kind: 'dns'; readonly because: string }
  /** every host failed a while ago and is not asked again before `untilMs` from now (null: when the retry table says), or may not be used for this domain's mail */
  | { readonly kind: 'down'; readonly because: string; readonly untilMs: number | null; readonly class: 'unreachable' | 'tls-policy' }
  /** DNS leads where this network must not go (`allow_private_mx`, `only_private_mx`) */
  | { readonly kind: 'forbidden'; readonly because: string }

export interface NetworkRules {
  readonly smtpPort: number
  readonly allowPrivateMx: boolean
  readonly onlyPrivateMx: boolean
}
