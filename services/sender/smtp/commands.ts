import { formatPath } from './path.ts'
import { InvariantBroken } from '../../runtime/errors.ts'
import type { Envelope, Extensions, Unfit } from './types.ts'

/** Why this envelope cannot be sent to a peer that offers `extensions` over this kind of connection; null = it can. */
export function whyUnfit(envelope: Envelope, extensions: Extensions, secure: 'tls' | 'plain'): Unfit | null {
  if (envelope.smtputf8 && !extensions.keywords.has('SMTPUTF8')) return 'smtputf8'
  if (envelope.requiretls === true && (secure === 'plain' || !extensions.keywords.has('REQUIRETLS'))) return 'requiretls'
  if (envelope.size !== null && extensions.sizeMax !== null && envelope.size > extensions.sizeMax) return 'size'
  return null
}

/** `MAIL FROM:<…> SIZE=… BODY=8BITMIME SMTPUTF8 REQUIRETLS` with CRLF; a parameter only where its extension was offered (RFC 5321 2.2.1). */
export function mailCommand(envelope: Envelope, extensions: Extensions): string {
  const offers = extensions.keywords
  let command = `MAIL FROM:<${pathFor(envelope, envelope.from)}>`
  if (envelope.size !== null && offers.has('SIZE')) command += ` SIZE=${envelope.size}`
  if (envelope.bodyEncoding === '8bit' && offers.has('8BITMIME')) command += ' BODY=8BITMIME'
  if (envelope.smtputf8) command += ' SMTPUTF8'
  if (envelope.requiretls === true) command += ' REQUIRETLS'
  return `${command}\r\n`
}

export function rcptCommand(envelope: Envelope, index: number): string {
  const rcpt = envelope.rcpts[index]
  if (rcpt === undefined || rcpt === '') throw new InvariantBroken('speakable-envelope', `an envelope without recipient ${index}`)
  return `RCPT TO:<${pathFor(envelope, rcpt)}>\r\n`
}

export const DATA = 'DATA\r\n'
export const RSET = 'RSET\r\n'
export const QUIT = 'QUIT\r\n'
export const FINAL_DOT = '.\r\n'

/** MAIL, every RCPT and DATA in one write (RFC 2920). Throws InvariantBroken on addresses that cannot be said, and on none. */
export function envelopeCommands(envelope: Envelope, extensions: Extensions): string {
  if (envelope.rcpts.length === 0) throw new InvariantBroken('speakable-envelope', 'an envelope without recipients')
  let commands = mailCommand(envelope, extensions)
  for (let i = 0; i < envelope.rcpts.length; i++) commands += rcptCommand(envelope, i)
  return commands + DATA
}

function pathFor(envelope: Envelope, address: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is a range of code points
  if (!envelope.smtputf8 && /[^\u0000-\u007F]/.test(address))
    throw new InvariantBroken('speakable-envelope', `${address} needs SMTPUTF8, its envelope does not say so`)
  return formatPath(address)
}
