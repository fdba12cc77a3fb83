/** One command line → what it says. Pure. */
import { canonical } from '../models/address.ts'

export type Command =
  | { readonly verb: 'helo' | 'ehlo'; readonly name: string }
  | { readonly verb: 'mail'; readonly from: string; readonly sizeBytes: number; readonly requiresTls: boolean }
  | { readonly verb: 'rcpt'; readonly to: string }
  | { readonly verb: 'starttls' | 'data' | 'rset' | 'noop' | 'quit' | 'other' }

/** `line` without its line end. What cannot be read is `other`, answered 500. */
export function readCommand(line: Buffer): Command {
  switch (line.toString('latin1', 0, 4).toUpperCase()) {
    case 'MAIL':
      return readMail(line)
    case 'RCPT': {
      const to = pathOf(line)
      return to === null || to === '' ? OTHER : { verb: 'rcpt', to }
    }
    case 'DATA':
      return { verb: 'data' }
    case 'EHLO':
      return { verb: 'ehlo', name: argument(line) }
    case 'HELO':
      return { verb: 'helo', name: argument(line) }
    case 'RSET':
      return { verb: 'rset' }
    case 'NOOP':
      return { verb: 'noop' }
    case 'QUIT':
      return { verb: 'quit' }
    case 'STAR':
      return { verb: 'starttls' }
    default:
      return OTHER
  }
}

const OTHER: Command = { verb: 'other' }

function readMail(line: Buffer): Command {
  const from = pathOf(line)
  if (from === null) return OTHER
  const size = line.indexOf('SIZE=')
  const sizeBytes = size === -1 ? 0 : Number.parseInt(line.toString('latin1', size + 5, line.length), 10)
  const requiresTls = / REQUIRETLS( |$)/i.test(line.toString('latin1', line.lastIndexOf('>') + 1))
  return { verb: 'mail', from, sizeBytes: Number.isNaN(sizeBytes) ? 0 : sizeBytes, requiresTls }
}

/** `<…>` of MAIL and RCPT as a key; '' is the null path. A quoted local part may hold a '>', so the last one closes. */
function pathOf(line: Buffer): string | null {
  const open = line.indexOf('<')
  const close = line.lastIndexOf('>')
  return open === -1 || close < open ? null : canonical(line.toString('utf8', open + 1, close))
}

const argument = (line: Buffer): string => line.toString('latin1', 5, line.length).trim()
