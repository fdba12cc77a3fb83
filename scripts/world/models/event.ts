/** What an ISP hears. No socket and no clock in here: the TCP front says these, and a simulation on virtual time can
 *  say the same. `session` is any number unique among the open sessions of one ISP. */

/** How a command came: in answer to our reply, before our reply to an earlier command (RFC 2920), or behind the dot
 *  of a mail that we had not answered yet. */
export type Arrived = 'alone' | 'piped' | 'behind-dot'

export type SmtpEvent =
  | { readonly on: 'connect'; readonly session: number; readonly source: string; readonly host: string }
  | { readonly on: 'helo' | 'ehlo'; readonly session: number; readonly name: string }
  | { readonly on: 'starttls'; readonly session: number }
  /** the handshake is done */
  | { readonly on: 'tls'; readonly session: number }
  /** `requiresTls`: the parameter of RFC 8689 */
  | {
      readonly on: 'mail'
      readonly session: number
      readonly from: string
      readonly sizeBytes: number
      readonly requiresTls?: boolean
      readonly arrived: Arrived
    }
  | { readonly on: 'rcpt'; readonly session: number; readonly to: string; readonly arrived: Arrived }
  | { readonly on: 'data'; readonly session: number; readonly arrived: Arrived }
  /** the body is complete; `messageId` is '' where the mail has none */
  | { readonly on: 'dot'; readonly session: number; readonly messageId: string; readonly sizeBytes: number }
  | { readonly on: 'rset' | 'noop' | 'quit' | 'other'; readonly session: number }
  /** nothing was heard for the row's `idleMs` */
  | { readonly on: 'idle'; readonly session: number }
  | { readonly on: 'closed'; readonly session: number }

/** What the conversation tells its behaviours after it has decided. */
export type AfterEvent =
  | { readonly on: 'stored'; readonly session: number; readonly mail: Mail }
  | { readonly on: 'refused'; readonly session: number; readonly because: string }
  | { readonly on: 'ended'; readonly session: number }

export type EventKind = SmtpEvent['on'] | AfterEvent['on']

export type Mail = {
  readonly messageId: string
  readonly from: string
  readonly rcpts: readonly string[]
  readonly sizeBytes: number
  readonly source: string
}
