/**
 * The upper bound, and the hand that feeds Postfix and Haraka: plain sockets, mails built beforehand, nothing rendered, written down or tried again.
 */
import { connect, type Socket } from 'node:net'
import { recipient } from './mails.ts'

export interface Blast {
  readonly host: string
  readonly port: number
  readonly sessions: number
  readonly mails: number
  readonly bodies: readonly Buffer[]
  /** `ahead`: the next envelope goes behind the body; `in-turn`: for peers that do not bear it */
  readonly manner: 'ahead' | 'in-turn'
  readonly signal: AbortSignal
}

/** Resolves when every mail has its 250. Throws at the first reply that is none. */
export async function blast(plan: Blast): Promise<void> {
  let next = 0
  const take = () => (next < plan.mails ? next++ : null)
  const stop = new AbortController()
  const signal = AbortSignal.any([plan.signal, stop.signal])
  try {
    await Promise.all(Array.from({ length: Math.min(plan.sessions, plan.mails) }, () => session(plan, take, signal)))
  } finally {
    stop.abort(new Error('another session failed'))
  }
}

const envelope = (n: number) => `MAIL FROM:<news@acme.example>\r\nRCPT TO:<${recipient(n).address}>\r\nDATA\r\n`

/** The replies to one mail, in their order. */
const EXPECTED = ['250', '250', '354', '250'] as const

function session({ host, port, bodies, manner }: Blast, take: () => number | null, signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>()
  const socket: Socket = connect({ host, port, noDelay: true })
  const abort = () => done.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  let stage: 'greeting' | 'ehlo' | number = 'greeting'
  let mail: number | null = null
  let rest = ''
  const begin = () => {
    mail = take()
    if (mail === null) socket.end('QUIT\r\n', () => done.resolve())
    else socket.write(envelope(mail))
  }
  /** After 354: this body, and with it the next mail's envelope. */
  const sendBody = (n: number) => {
    const following = manner === 'ahead' ? take() : null
    socket.cork()
    socket.write(bodies[n % bodies.length] as Buffer)
    socket.write(following === null ? '.\r\n' : `.\r\n${envelope(following)}`)
    socket.uncork()
    mail = following
  }
  const hear = (line: string) => {
    if (line[3] === '-') return
    if (stage === 'greeting') {
      stage = 'ehlo'
      socket.write('EHLO bench.hato.example\r\n')
    } else if (stage === 'ehlo') {
      stage = 0
      begin()
    } else {
      if (!line.startsWith(EXPECTED[stage] as string)) return done.reject(new Error(`${host}:${port} said "${line}"`))
      if (stage === 2) sendBody(mail as number)
      stage = (stage + 1) % EXPECTED.length
      if (stage === 0 && mail === null) begin()
    }
  }
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
  })
  socket.on('error', done.reject)
  socket.on('close', () => done.reject(new Error(`${host}:${port} closed the connection`)))
  return done.promise.finally(() => {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  })
}
