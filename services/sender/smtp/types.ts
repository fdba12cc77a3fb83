import type { Reply } from '../../../protocol/outcome.ts'
import type { Stage } from '../../../protocol/words.ts'
import type { TlsTrouble } from '../../../protocol/tls-report.ts'

export type { Reply, Stage }

/** Trouble of the network, where the peer said nothing about it.
 *  `code` is the operating system's (`ECONNREFUSED`, `ECONNRESET`, `EADDRNOTAVAIL`, `ERR_SSL_…`) or one of ours:
 *  ETIMEDOUT a time-out of timeouts.ts · ECLOSED the peer closed without a word · EPROTOCOL a reply that is none, or that nobody asked for ·
 *  EPROXY our own egress proxy failed · EAUTH no way to log in · ECUT we closed it ourselves. */
export interface Fault {
  readonly code: string
  readonly message: string
}

/** What stands before the body. Addresses are bare (`taro..y@docomo.ne.jp`, `''` for the null sender); path.ts quotes where RFC 5321 wants it. */
export interface Envelope {
  readonly from: string
  readonly rcpts: readonly string[]
  /** an address or a header needs RFC 6531 */
  readonly smtputf8: boolean
  /** of the body in bytes, for SIZE= (RFC 1870); null = not said */
  readonly size: number | null
  /** RFC 8689 */
  readonly requiretls?: boolean
  /** '8bit' asks for BODY=8BITMIME where offered (RFC 6152) */
  readonly bodyEncoding?: '8bit' | '7bit'
}

/** `body`: CRLF lines, dot-stuffed, without the final dot, ending in CRLF (body.ts makes and checks it).
 *  `release`: called once the kernel has all of it, so that its memory may be another mail's; never called for a body that was not written to its end. */
export interface Mail extends Envelope {
  readonly body: Uint8Array | readonly Uint8Array[]
  /** octets of memory behind the last chunk that are the mail's too, for what is written behind it; default none */
  readonly spare?: number
  readonly release?: () => void
}

/** Why an envelope cannot be sent in a session at all; nothing was written. */
export type Unfit = 'smtputf8' | 'requiretls' | 'size'

/** How the session ended inside a transaction.
 *  `bodySent: 'dotSent'`: the peer may have the whole mail, only its answer is missing (delivery.md §4, "no reply to the dot").
 *  'partial' and 'none': the dot never left, so it is certain that nothing was delivered.
 *  `fault` is null when the peer said 421: that reply stands in its stage's slot. */
export interface Lost {
  readonly stage: Stage
  readonly bodySent: 'none' | 'partial' | 'dotSent'
  readonly fault: Fault | null
}

/** What the peer said to one mail, stage by stage; null = it was not asked, or did not answer. `verdictFor` reads it for one recipient. */
export interface Transaction {
  readonly mail: Reply | null
  /** in the order of `rcpts` */
  readonly rcpts: readonly (Reply | null)[]
  readonly data: Reply | null
  /** SMTP: one. LMTP: one per accepted recipient, in their order. Empty: no body was sent. */
  readonly dot: readonly (Reply | null)[]
  readonly lost: Lost | null
  readonly unfit: Unfit | null
  /** the envelope had been written behind the body of the mail before */
  readonly wasAhead: boolean
  /** the peer does not bear an envelope behind a body: nobody is charged, announce none to this MX (delivery.md §5) */
  readonly aheadRefused: boolean
  /** from MAIL (of an announced envelope: from its turn) to the reply that decided, milliseconds */
  readonly ms: number
  /** the session takes another mail */
  readonly usable: boolean
}

/** How a session ended.
 *  quit: we said QUIT · idle: we said QUIT since nothing was to be sent for `timeouts.idleMs` · reply: a 421, or words that nobody asked for ·
 *  closed: the peer closed without a word · fault: time-out, reset, nonsense · cut: `close()` */
export interface SessionEnd {
  readonly because: 'quit' | 'idle' | 'reply' | 'closed' | 'fault' | 'cut'
  /** where the conversation was; `idle` = between transactions, which blames nobody */
  readonly stage: Stage
  readonly reply: Reply | null
  readonly fault: Fault | null
}

/** What EHLO offered: keywords in capitals. `sizeMax` in bytes, null = no limit said (RFC 1870). */
export interface Extensions {
  readonly keywords: ReadonlySet<string>
  readonly sizeMax: number | null
}

export interface TlsFacts {
  readonly version: string
  readonly cipher: string
  /** common name of the peer's certificate */
  readonly peerName: string | null
  /** the certificate chains to a known root and names the host; asked only where a policy asks for it (RFC 7435), but worth a log field */
  readonly verified: boolean
  /** why it does not */
  readonly trouble: TlsTrouble | null
  /** a TLSA record vouched for the certificate */
  readonly dane: boolean
}

export interface SessionFacts {
  readonly host: string
  readonly address: string
  readonly port: number
  /** as our kernel knows it; behind a proxy the address toward the proxy */
  readonly localAddress: string | null
  readonly protocol: 'smtp' | 'lmtp'
  readonly tls: TlsFacts | null
  readonly extensions: Extensions
  /** the greeting, and the first line of the EHLO reply, which often repeats the address that the peer sees us from (delivery.md §7) */
  readonly greeting: string
  readonly ehlo: string
}
