import type { X509Certificate } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { pkixTrouble, troubleWith, type TlsNeed, type TlsPeer, type TlsTrouble } from '../policy/tls/need.ts'
import { ConnectFailed, connectDirectly, type Connect } from './connect.ts'
import { Deadline } from './deadline.ts'
import { parseEhlo } from './ehlo.ts'
import { takeOver } from './handover.ts'
import { ReplyParser, parseReply } from './reply-parser.ts'
import { SmtpSession } from './session.ts'
import type { Timeouts } from './timeouts.ts'
import type { Fault, Reply, Stage, TlsFacts } from './types.ts'

export interface OpenOptions {
  /** the MX's name: SNI, and the name in logs */
  readonly host: string
  /** where it is; nothing is resolved here */
  readonly address: string
  readonly port: number
  readonly localAddress: string | null
  /** our name in EHLO or LHLO */
  readonly ehlo: string
  /** required: TLS or nothing (any certificate, as Postfix's `encrypt`: an MX name out of plain DNS proves nothing) ·
   *  opportunistic: TLS where offered, any certificate (RFC 7435) · off: never */
  readonly tls: 'required' | 'opportunistic' | 'off'
  /** what the peer's certificate must prove; with one TLS is required whatever `tls` says */
  readonly need?: TlsNeed | null
  /** the roots that certificates are held against; default: Node's */
  readonly roots?: SecureContext | undefined
  readonly protocol: 'smtp' | 'lmtp'
  /** for relays; never sent over a connection that should be encrypted and is not */
  readonly auth?: { readonly user: string; readonly pass: string }
  readonly timeouts: Timeouts
  /** default: straight from `localAddress` */
  readonly connectVia?: Connect
  /** abort = give up at once; has no effect on an open session */
  readonly signal?: AbortSignal
}

/** `reply` and `fault` exclude each other. `tlsBroken`: STARTTLS was begun and failed otherwise than by a refusal; a new connection with
 *  `tls: 'off'` may do (the caller remembers, delivery.md §5). AUTH counts as stage `ehlo`.
 *  `trouble`: the connection did not meet its `need`; nothing of a mail was said over it. */
export type Opened =
  | { readonly kind: 'open'; readonly session: SmtpSession }
  | {
      readonly kind: 'failed'
      readonly stage: Stage
      readonly reply: Reply | null
      readonly fault: Fault | null
      readonly tlsBroken: boolean
      readonly trouble?: TlsTrouble
    }

/** nodemailer's own time-outs are shorter than RFC 5321's and one of them spans several stages, so ours count and its never come first. */
const NEVER_FIRST_MS = 3_600_000
/** nodemailer's limit for one reply of the opening, as reply-parser.ts has it for the rest. */
const MAX_REPLY = 65_536

/** Connects, greets, secures and logs in. Never rejects for anything that network or peer do; only for our own bugs. */
export async function openSession(options: OpenOptions): Promise<Opened> {
  const { address, port, localAddress, timeouts, signal, connectVia = connectDirectly } = options
  try {
    const socket = await connectVia({ address, port, localAddress, timeoutMs: timeouts.connectMs, ...(signal === undefined ? {} : { signal }) })
    return await converse(socket, options)
  } catch (error) {
    if (error instanceof ConnectFailed) return { kind: 'failed', stage: 'connect', reply: null, fault: error.fault, tlsBroken: false }
    throw error
  }
}

/** What was said so far, from nodemailer's transaction log: it is the public way to know where the conversation stands. */
interface Progress {
  stage: Stage
  /** the last reply to the last command; null while it is awaited */
  reply: string | null
  greeting: string
  ehlo: string
  /** EHLO was refused and HELO is being tried */
  ehloRefusal: string | null
}

function converse(socket: Socket, options: OpenOptions): Promise<Opened> {
  const tls = options.need ? 'required' : options.tls
  return new Promise((resolve, reject) => {
    const progress: Progress = { stage: 'greeting', reply: null, greeting: '', ehlo: '', ehloRefusal: null }
    const deadline = new Deadline(options.timeouts.resolutionMs, () => fail({ code: 'ETIMEDOUT', message: `no answer in time at ${progress.stage}` }))
    const connection = new SMTPConnection({
      connection: socket,
      host: options.host,
      port: options.port,
      name: options.ehlo,
      lmtp: options.protocol === 'lmtp',
      ignoreTLS: tls === 'off',
      requireTLS: tls === 'required',
      opportunisticTLS: tls === 'opportunistic',
      // The chain alone is OpenSSL's to judge here: whether the name fits is ours (policy/tls/need.ts), by stricter rules than Node's.
      tls: {
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...(options.roots && { secureContext: options.roots }),
        ...(isIP(options.host) === 0 ? { servername: options.host } : {}),
      },
      connectionTimeout: NEVER_FIRST_MS,
      greetingTimeout: NEVER_FIRST_MS,
      socketTimeout: NEVER_FIRST_MS,
      socketCloseTimeout: 0,
      maxResponseSize: MAX_REPLY,
      transactionLog: true,
      logger: transcript((who, line) => {
        note(progress, who, line)
        deadline.set(timeoutAt(progress.stage, options.timeouts))
      }),
    })

    // nodemailer tells of a close in three ways, and of one before its listeners are on in none: see the whole of it here.
    const onClose = () => setImmediate(() => fail(CLOSED))
    const onAbort = () => fail({ code: 'ECUT', message: 'given up by us' })
    let settled = false
    const settle = () => {
      settled = true
      deadline.dispose()
      socket.removeListener('close', onClose)
      options.signal?.removeEventListener('abort', onAbort)
      connection.removeAllListeners()
      connection.on('error', () => {}) // a late error of a dead connection concerns nobody
    }
    const fail = (fault: Fault, response: string | null = null) => {
      if (settled) return
      settle()
      connection.close()
      const failed = failure(progress, connection.secure, fault, response)
      resolve(options.need && failed.stage === 'starttls' ? { ...failed, trouble: failed.reply ? 'starttls-not-supported' : 'validation-failure' } : failed)
    }
    const failBy = (error: NodemailerError) => fail(faultOf(error), error.response ?? null)
    const open = () => {
      // RFC 7435's plaintext is for mail, not for passwords.
      if (options.auth !== undefined && tls !== 'off' && !connection.secure) return fail({ code: 'EAUTH', message: 'no login without TLS' })
      if (options.auth !== undefined && !connection.authenticated) {
        connection.login({ user: options.auth.user, pass: options.auth.pass }, (error) => (error === null ? open() : failBy(error)))
        return
      }
      if (progress.stage === 'starttls' && progress.reply?.startsWith('421') === true) return fail(CLOSING, progress.reply)
      settle()
      try {
        resolve(handOver(connection, progress, options))
      } catch (error) {
        socket.destroy()
        reject(error)
      }
    }

    socket.on('close', onClose)
    connection.on('error', failBy)
    connection.on('end', onClose)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    deadline.set(options.timeouts.greetingMs)
    connection.connect((error) => (error === undefined ? open() : failBy(error)))
    if (options.signal?.aborted === true) onAbort()
  })
}

type NodemailerError = Error & { readonly code?: string | undefined; readonly originalCode?: string | undefined; readonly response?: string | undefined }

const CLOSED: Fault = { code: 'ECLOSED', message: 'the peer closed the connection' }
const CLOSING: Fault = { code: 'ECLOSED', message: 'the peer says that it closes the connection' }

function handOver(connection: SMTPConnection, progress: Progress, options: OpenOptions): Opened {
  const guard = () => {}
  const { socket, unread } = takeOver(connection, guard)
  const behind = new ReplyParser()
  behind.feed(unread)
  const reply = behind.next()
  if (reply !== null || behind.fault !== null || socket.destroyed) {
    // A 421 right behind the EHLO reply, or words that nobody asked for.
    const nonsense = behind.fault === null ? CLOSED : { code: 'EPROTOCOL', message: behind.fault }
    socket.destroy()
    const fault = reply === null ? nonsense : null
    return { kind: 'failed', stage: 'ehlo', reply, fault, tlsBroken: false }
  }
  const peer = peerOf(socket, options.host)
  const trouble = options.need ? (peer === null ? 'starttls-not-supported' : troubleWith(peer, options.need, Date.now())) : null
  if (trouble !== null) {
    socket.destroy()
    const fault = { code: 'TLS_POLICY', message: `${trouble}${peer?.chainTrouble ? ` (${peer.chainTrouble})` : ''}` }
    return { kind: 'failed', stage: 'starttls', reply: null, fault, tlsBroken: false, trouble }
  }
  const { extensions, greeting } = parseEhlo(progress.ehlo)
  const { host, address, port, protocol, timeouts } = options
  const facts = {
    host,
    address,
    port,
    localAddress: socket.localAddress ?? null,
    protocol,
    tls: tlsFacts(socket, peer, options.need?.kind === 'dane'),
    extensions,
  }
  const session = new SmtpSession(socket, { ...facts, greeting: progress.greeting, ehlo: greeting }, timeouts, unread)
  socket.removeListener('error', guard)
  return { kind: 'open', session }
}

function peerOf(socket: Socket, host: string): TlsPeer | null {
  if (!(socket instanceof TLSSocket)) return null
  const chain: X509Certificate[] = []
  // NOTE A root is its own issuer, for ever.
  for (let next = socket.getPeerX509Certificate(); next !== undefined && chain.at(-1)?.fingerprint256 !== next.fingerprint256; next = next.issuerCertificate)
    chain.push(next)
  return { host, chain, chainTrouble: socket.authorized ? null : String(socket.authorizationError) }
}

function tlsFacts(socket: Socket, peer: TlsPeer | null, dane: boolean): TlsFacts | null {
  if (!(socket instanceof TLSSocket) || peer === null) return null
  const peerName = /^CN=(.+)$/m.exec(peer.chain[0]?.subject ?? '')?.[1] ?? null
  const trouble = pkixTrouble(peer)
  return { version: socket.getProtocol() ?? '', cipher: socket.getCipher()?.name ?? '', peerName, verified: trouble === null, trouble, dane }
}

function note(progress: Progress, who: 'client' | 'server', line: string): void {
  if (who === 'client') {
    const verb = line.trimEnd().split(' ')[0]
    if (verb === 'HELO') progress.ehloRefusal = progress.reply
    progress.stage = verb === 'STARTTLS' ? 'starttls' : 'ehlo'
    progress.reply = null
    if (verb === 'EHLO' || verb === 'LHLO' || verb === 'HELO') progress.ehlo = ''
    return
  }
  progress.reply = line
  if (progress.stage === 'greeting') progress.greeting = line.slice(4)
  if (progress.stage === 'ehlo' && progress.ehlo === '') progress.ehlo = line
}

function timeoutAt(stage: Stage, timeouts: Timeouts): number {
  return stage === 'greeting' ? timeouts.greetingMs : stage === 'starttls' ? timeouts.starttlsMs : timeouts.ehloMs
}

function failure(progress: Progress, secure: boolean, fault: Fault, response: string | null): Extract<Opened, { kind: 'failed' }> {
  const said = response ?? (progress.stage === 'ehlo' ? progress.ehloRefusal : null)
  const reply = said === null ? null : parseReply(said)
  // NOTE With TLS 1.3 our handshake is over before the peer has judged it: its alert comes where the second EHLO's reply should.
  const alert = secure && progress.stage === 'ehlo' && progress.reply === null && (fault.code.startsWith('ERR_SSL') || fault.code === 'EPROTO')
  const stage = alert ? 'starttls' : progress.stage
  return { kind: 'failed', stage, reply, fault: reply === null ? fault : null, tlsBroken: stage === 'starttls' && reply === null && fault.code !== 'ECUT' }
}

/** The system's own code where there is one, else nodemailer's, in our words. */
function faultOf(error: NodemailerError): Fault {
  const code = error.originalCode ?? error.code ?? 'ESOCKET'
  return { code: code === 'ECONNECTION' ? 'ECLOSED' : code, message: error.message }
}

/** A bunyan-like logger that hears only commands (passwords already hidden) and replies. */
function transcript(hear: (who: 'client' | 'server', line: string) => void) {
  const mute = () => {}
  const debug = (entry: unknown, line?: unknown) => {
    const who = (entry as { readonly tnx?: unknown }).tnx
    if ((who === 'client' || who === 'server') && typeof line === 'string') hear(who, line)
  }
  return { level: () => {}, trace: mute, debug, info: mute, warn: mute, error: mute, fatal: mute }
}
