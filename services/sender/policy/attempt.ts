import type { Outcome, Reply } from '../../../protocol/outcome.ts'
import type { TlsFacts } from '../smtp/types.ts'
import type { Blame, OutcomeWord, ReplyClass, Stage } from '../../../protocol/words.ts'

/** What one try at one recipient came to, before the retry table has its say. */
export interface Finding {
  readonly outcome: OutcomeWord
  readonly stage: Stage | null
  readonly reply: Reply | null
  /** in words, where no reply tells */
  readonly because: string | null
  /** of our own, where no reply tells (RFC 3463) */
  readonly enhanced?: string
  readonly class: ReplyClass
  readonly blames: Blame
  readonly unconfirmed?: boolean
  readonly mayBeDuplicate?: boolean
  /** the row lets it feed the suppression list */
  readonly suppress?: boolean
  /** the wait or rest that the reply taught, ms */
  readonly restMs: number | null
  readonly retryAfterMs: number | null
  /** the whole lease should pause: the address or the site is not wanted here for now */
  readonly stops: boolean
  /** not the source but the site as a whole, whatever was said */
  readonly whole?: boolean
  /** our From domain rests at this site, or this recipient's domain does */
  readonly rests?: 'sender' | 'domain' | null
  /** what the row teaches the ip-manager */
  readonly rule: Outcome['rule'] | null
  /** stays null while the finding concerns DNS or ourselves */
  readonly mx: string | null
  readonly ms: number | null
  /** of the session it went over; null = plaintext */
  readonly tls?: TlsFacts | null
  /** the peer sees us from this address, which is not the source's */
  readonly seenAs?: string | null
}

export interface Subject {
  readonly n: number
  readonly ref: string | null
  readonly rcpt: string
  readonly ip: string
  readonly site: string
}

/** The finding as the journal's record. Replies are cut at 500 characters: they are evidence, not archives. */
export function outcomeOf(of: Subject, finding: Finding): Outcome {
  return {
    n: of.n,
    ref: of.ref,
    rcpt: of.rcpt,
    outcome: finding.outcome,
    stage: finding.stage,
    code: finding.reply?.code ?? null,
    enhanced: finding.reply?.enhanced ?? finding.enhanced ?? null,
    reply: (finding.reply?.text ?? finding.because)?.slice(0, 500) ?? null,
    class: finding.class,
    blames: finding.blames,
    mx: finding.mx,
    ip: finding.stage === null ? null : of.ip,
    site: of.site,
    ms: finding.ms === null ? null : Math.round(finding.ms),
    ...(finding.tls && { tls: shownTls(finding.tls) }),
    ...(finding.seenAs && { seenAs: finding.seenAs }),
    ...(finding.rule && { rule: finding.rule }),
    ...(finding.unconfirmed && { unconfirmed: true }),
    ...(finding.mayBeDuplicate && { mayBeDuplicate: true }),
    ...(finding.suppress && { suppress: true }),
  }
}

function shownTls({ version, cipher, peerName, verified, dane }: TlsFacts): Outcome['tls'] {
  return { version, cipher, peer: peerName, verified: dane ? 'dane' : verified ? 'pkix' : 'no' }
}

/** A finding that no reply made: DNS, deadlines, our own matters. */
export function foundWithoutReply(outcome: OutcomeWord, replyClass: ReplyClass, blames: Blame, because: string | null, stage: Stage | null = null): Finding {
  return { outcome, stage, reply: null, because, class: replyClass, blames, restMs: null, retryAfterMs: null, stops: false, rule: null, mx: null, ms: null }
}
