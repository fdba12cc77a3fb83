import { openSession, type OpenOptions } from '../open.ts'
import type { SmtpSession } from '../session.ts'
import { TIMEOUTS, type Timeouts } from '../timeouts.ts'
import type { Envelope, Mail, Transaction } from '../types.ts'

/** Time-outs that no test meets by accident, noticed within 5 ms. */
export const PATIENT: Timeouts = { ...TIMEOUTS, resolutionMs: 5, quitMs: 500 }

export function options(peer: { readonly address: string; readonly port: number }, over: Partial<OpenOptions> = {}): OpenOptions {
  return {
    host: 'mx.peer.example',
    address: peer.address,
    port: peer.port,
    localAddress: '127.0.1.1',
    ehlo: 'mx1.hato.example',
    tls: 'off',
    protocol: 'smtp',
    timeouts: PATIENT,
    ...over,
  }
}

/** An open session, or an error that says why not; closed and gone at disposal. */
export async function opened(
  peer: { readonly address: string; readonly port: number },
  over: Partial<OpenOptions> = {},
): Promise<SmtpSession & AsyncDisposable> {
  const result = await openSession(options(peer, over))
  if (result.kind === 'failed') throw new Error(`no session: ${JSON.stringify(result)}`)
  return Object.assign(result.session, {
    async [Symbol.asyncDispose]() {
      result.session.close()
      await result.session.over
    },
  })
}

export function envelope(over: Partial<Envelope> = {}): Envelope {
  return { from: 'news@acme.example', rcpts: ['taro@example.jp'], smtputf8: false, size: null, ...over }
}

export function mail(over: Partial<Mail> = {}): Mail {
  return { ...envelope(over), body: Buffer.from('Subject: hello\r\n\r\nhello\r\n'), ...over }
}

/** `250 | 550,250 | 354 | 250`: the codes of a transaction, a dash where there is none. */
export function codes({ mail: sender, rcpts, data, dot }: Transaction): string {
  const list = (replies: readonly ({ readonly code: number } | null)[]) => replies.map((reply) => reply?.code ?? '-').join(',') || '-'
  return `${sender?.code ?? '-'} | ${list(rcpts)} | ${data?.code ?? '-'} | ${list(dot)}`
}
