import type { Terms } from '../../protocol/messages/permission.ts'
import type { MonoMs } from '../../protocol/words.ts'
import type { SessionLengths } from './policy/session-lengths.ts'
import type { SmtpSession } from './smtp/session.ts'

/** A close between transactions blames nobody; its count is learnt (delivery.md §5). */
export function learnEnd(session: SmtpSession, lengths: SessionLengths): void {
  void session.over.then(({ because, stage }) => {
    if (stage !== 'idle' || (because !== 'closed' && because !== 'reply') || session.idleSinceMs === null) return
    const now = performance.now()
    lengths.ended(session.facts.address, session.counts.mails, now - session.idleSinceMs, now)
  })
}

/** Has it done what its site bears of one session, or what its host was seen to bear, `more` mails with it counted? */
export function isSpent(session: SmtpSession, terms: Terms, lengths: SessionLengths, now: MonoMs, more = 0): boolean {
  const { mails, rcpts, refused } = session.counts
  const most = Math.min(terms.mailsPerSession, lengths.most(session.facts.address, now))
  return !session.usable || mails + more >= most || rcpts + more >= terms.rcptsPerSession || refused >= terms.refusedPerSession
}
