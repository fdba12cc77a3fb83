// biome-ignore-all format: a row a line, so that the table reads as one
import type { Rule } from '../rule.ts'
import { BUSY, HOST_BUSY, NEEDS_TLS, NOT_SERVED, OUR_FAULT, SESSION_END } from '../then.ts'

/** The polite ends of a session. Codes other than 421 are not taken for one: the next try would follow at once, for ever. */
export const GENERIC_SESSION: readonly Rule[] = [
  { id: 'session/mails', seen: '421 4.7.0 Too many messages in this session, closing', when: { code: 421, text: /(messages?|mails?|transactions?) (for|in|per|on) (this )?(session|connection)|(max|maximum|limit).{0,30} per (session|connection)/i }, then: SESSION_END },
  { id: 'session/mails-452', seen: '452 4.5.3 Error: session limit reached, reconnect', when: /session limit|reconnect/i, then: SESSION_END },
  { id: 'session/idle', seen: '421 4.4.2 mx1.example.com Error: timeout exceeded', when: { code: 421, text: /time-?out|idle|timed out/i }, then: SESSION_END },
]

/** After what is about us: "too many connections, closing transmission channel" is no polite end. */
export const GENERIC_BYE: readonly Rule[] = [
  { id: 'session/bye', stages: ['idle', 'mail'], seen: '421 4.0.0 Goodbye, closing connection', when: { code: 421, text: /goodbye|closing (the )?(connection|transmission|channel|session)/i }, then: SESSION_END },
]

/** What any mail server may say about itself, or the way we speak. */
export const GENERIC_SITE: readonly Rule[] = [
  { id: 'tls/required', seen: '530 5.7.0 Must issue a STARTTLS command first', when: /starttls|(tls|ssl|encryption).{0,30}(required|needed|must|mandatory)|(require|must use).{0,20}(tls|ssl|encrypt)/i, then: { ...NEEDS_TLS, outcome: 'deferred' } },
  { id: 'tls/unavailable', seen: '454 4.7.0 TLS not available due to local problem', when: /\b(tls|ssl)\b/i, then: NEEDS_TLS },
  { id: 'us/bare-newline', seen: '521 5.5.2 Error: bare <LF> received', when: /bare <?(lf|cr|newline)|line too long|line length/i, then: OUR_FAULT },
  { id: 'us/bare-newline-deferred', seen: '451 See http://pobox.com/~djb/docs/smtplf.html', when: /smtplf|bare <?(lf|cr|newline)/i, then: OUR_FAULT },
  { id: 'host/521', stages: ['greeting', 'ehlo', 'mail', 'rcpt'], seen: '521 mx.example.com does not accept mail', when: { code: [521, 556] }, then: { class: 'null-mx', blames: 'host', outcome: 'deferred' } },
  { id: 'host/shutdown', seen: '421 4.3.2 mx1.example.com Service is shutting down', when: /shutting down|shutdown|maintenance|going down|out of service/i, then: HOST_BUSY },
  { id: 'host/disk', seen: '452 4.3.1 Insufficient system storage', when: /insufficient (system )?(storage|disk|resources|space|memory)|disk (is )?full|out of (memory|space|resources)|not enough (disk )?space/i, then: HOST_BUSY },
  { id: 'host/load', seen: '421 4.3.2 System load too high, try again later', when: /load (is )?too high|overload|high load|load average/i, then: HOST_BUSY },
  { id: 'host/queue', seen: '451 4.3.0 Error: queue file write error', when: /queue file|queue (is )?full|unable to queue|write error/i, then: HOST_BUSY },
  { id: 'host/local-error', seen: '451 4.3.0 Requested action aborted: local error in processing', when: /local (error|problem)|internal (error|server error)|server configuration (problem|error)|lookup (failure|error)|temporary (lookup|system|server|dns|database)|temporary (internal )?(failure|problem)/i, then: HOST_BUSY },
  { id: 'host/local-error-refused', seen: '550 5.3.0 Internal server error, try again later', when: /internal (server )?error|temporary .{0,20}(failure|error)|temporarily unable|(ldap|directory|database).{0,20}\b(down|unavailable|error|not available)/i, then: HOST_BUSY },
  { id: 'site/too-busy', seen: '450 4.3.2 Server busy, please try later', when: /(server|system|service|we are|too) (is )?(too )?busy/i, then: BUSY },
  { id: 'site/unavailable', seen: '421 4.3.2 Service temporarily unavailable', when: /(service|server|system|resources?) (is )?(currently |temporarily )?(unavailable|not available)/i, then: BUSY },
  { id: 'site/resources', seen: '452 4.7.9 Resources are low, come back later', when: /come back later/i, then: BUSY },

  // cPanel and MailEnable advise a login where they mean that the domain is not theirs.
  { id: 'relay/login', seen: '550 Please turn on SMTP Authentication in your mail client, or login to the IMAP/POP3 server before sending your message. mx7.hato.example (203.0.113.7) is not permitted to relay through this server without authentication.', when: /not (permitted|allowed) to relay through|non-local (e-?mail )?address/i, then: NOT_SERVED },
  { id: 'us/authentication', seen: '530 5.7.1 Authentication required', when: /authentication (is )?required|must authenticate|smtp auth|client was not authenticated/i, then: OUR_FAULT },
  { id: 'us/pipelining', seen: '503 5.5.0 Error: improper use of SMTP command pipelining', when: /pipelin/i, then: OUR_FAULT },
  { id: 'us/sequence', seen: '503 5.5.1 Bad sequence of commands', when: { code: 503 }, then: OUR_FAULT },
  { id: 'us/syntax', seen: '500 5.5.2 Syntax error, command unrecognized', when: { code: [500, 501, 502, 504, 555], text: /syntax|unrecogni[sz]ed|not (implemented|supported|recogni[sz]ed)|unknown command|bad command|parameter/i }, then: OUR_FAULT },
]
