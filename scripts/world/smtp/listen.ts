/** Listeners for all ISPs on one port: one per address, or one for all that looks at where it was called. */
import { once } from 'node:events'
import net from 'node:net'
import type { Addresses } from '../addresses.ts'
import type { Isp } from '../models/isp.ts'
import { type FrontOptions, serve } from './front.ts'

type Options = {
  readonly addresses: Addresses
  readonly isps: ReadonlyMap<string, Isp>
  /** `each` or one address */
  readonly bind: string
  readonly port: number
  readonly front: FrontOptions
}

/** A free port of the first address may be taken on another one; then another is tried. */
const TRIES = 20
/** A cluster opens all of its sessions at once. */
const BACKLOG = 1024

export async function listenForMail(options: Options): Promise<AsyncDisposable & { readonly port: number }> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await listen(options)
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken || options.port !== 0 || tries === TRIES) throw error
    }
  }
}

async function listen({ addresses, isps, bind, port, front }: Options): Promise<AsyncDisposable & { readonly port: number }> {
  const byAddress = new Map(addresses.all.map((one) => [one.address, one]))
  const sockets = new Set<net.Socket>()
  await using opening = new AsyncDisposableStack()
  let bound = port
  for (const address of bind === 'each' ? byAddress.keys() : [bind]) {
    const server = net.createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      const called = byAddress.get((socket.localAddress ?? '').replace(/^::ffff:/, ''))
      const isp = called === undefined ? undefined : isps.get(called.row.name)
      if (called === undefined || isp === undefined) socket.destroy()
      else serve(socket, isp, called.host, front)
    })
    server.listen({ host: address, port: bound, backlog: BACKLOG })
    await once(server, 'listening')
    opening.defer(async () => void (await once(server.close(), 'close')))
    const where = server.address()
    if (where !== null && typeof where === 'object') bound = where.port
  }
  // runs first of all: a server closes only when its connections have
  opening.defer(() => {
    for (const socket of sockets) socket.destroy()
  })
  const all = opening.move()
  return { port: bound, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
