/**
 * The time-outs of a conversation, milliseconds (delivery.md §4; RFC 5321 4.5.3.2 gives the lower bounds). nodemailer's own are shorter,
 * and a client that hangs up on a slow peer sends the mail twice.
 */
export interface Timeouts {
  readonly connectMs: number
  readonly greetingMs: number
  readonly ehloMs: number
  readonly starttlsMs: number
  readonly mailMs: number
  readonly rcptMs: number
  readonly dataMs: number
  readonly blockMs: number
  readonly dotMs: number
  readonly rsetMs: number
  readonly idleMs: number
  readonly quitMs: number
  readonly resolutionMs: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND

export const TIMEOUTS: Timeouts = {
  connectMs: 30 * SECOND, // a SYN repeats at 1, 3, 7, 15 s: who has not answered by then is down, and the next MX waits
  greetingMs: 5 * MINUTE, // RFC 5321 4.5.3.2.1; greet delays of a minute are in use against bots
  ehloMs: 5 * MINUTE,
  starttlsMs: 5 * MINUTE, // reply and handshake
  mailMs: 5 * MINUTE, // 4.5.3.2.2
  rcptMs: 5 * MINUTE, // 4.5.3.2.3; Postfix tarpits here after unknown users
  dataMs: 2 * MINUTE, // 4.5.3.2.4
  blockMs: 3 * MINUTE, // 4.5.3.2.5; each block that the peer's window takes starts it anew
  dotMs: 10 * MINUTE, // 4.5.3.2.6; content filters run here, and hanging up earlier delivers twice
  rsetMs: 20 * SECOND, // nothing hangs on it: a slow RSET costs a session, not a mail
  idleMs: 30 * SECOND, // a warm session holds one of the peer's slots; a lease's terms give the site's own
  quitMs: 2 * SECOND, // nobody waits for it; after it the socket is destroyed
  resolutionMs: 1 * SECOND, // how late a time-out may be noticed; one timer tick a session, not one a reply
}
