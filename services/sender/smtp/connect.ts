import { connect as connectTcp, type Socket } from 'node:net'
import type { Fault } from './types.ts'

/** One TCP connection to an MX address, from an address of ours. */
export interface ConnectRequest {
  readonly address: string
  readonly port: number
  /** what the kernel binds; null = its own choice. A proxy is told of it and binds it itself. */
  readonly localAddress: string | null
  readonly timeoutMs: number
  /** abort = give up at once */
  readonly signal?: AbortSignal
}

/** Resolves with a connected socket that carries no listener; rejects with ConnectFailed and leaves nothing open. */
export type Connect = (request: ConnectRequest) => Promise<Socket>

export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed'
  readonly fault: Fault

  constructor(fault: Fault) {
    super(fault.message)
    this.fault = fault
  }
}

/** Straight from our own address. */
export const connectDirectly: Connect = ({ address, port, localAddress, timeoutMs, signal }) =>
  openTcp({ host: address, port, ...(localAddress === null ? {} : { localAddress }) }, timeoutMs, signal)

/** `after` speaks with the fresh socket (a proxy's handshake) within the same time-out. */
export async function openTcp(
  to: { readonly host: string; readonly port: number; readonly localAddress?: string },
  timeoutMs: number,
  signal: AbortSignal | undefined,
  after: (socket: Socket) => Promise<void> = async () => {},
): Promise<Socket> {
  const socket = connectTcp({ ...to, noDelay: true })
  let onFailed: (fault: Fault) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    onFailed = (fault) => reject(new ConnectFailed(fault))
  })
  const onError = (error: NodeJS.ErrnoException) => onFailed({ code: error.code ?? 'ESOCKET', message: error.message })
  const onClose = () => onFailed({ code: 'ECLOSED', message: `${to.host}:${to.port} closed the connection` })
  const onAbort = () => onFailed({ code: 'ECUT', message: 'given up by us' })
  const timer = setTimeout(() => onFailed({ code: 'ETIMEDOUT', message: `no connection to ${to.host}:${to.port} within ${timeoutMs} ms` }), timeoutMs)
  socket.on('error', onError)
  socket.on('close', onClose)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  try {
    await Promise.race([failed, new Promise<void>((resolve) => socket.once('connect', resolve)).then(() => after(socket))])
    // NOTE The caller's listener comes in the same run of microtasks, before any event can.
    socket.removeListener('error', onError)
    return socket
  } catch (error) {
    // A destroyed socket may still report what was on its way: its last listener stays.
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    socket.removeListener('close', onClose)
    signal?.removeEventListener('abort', onAbort)
  }
}
