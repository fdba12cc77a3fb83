import { connect, createServer, type Server, type Socket } from 'node:net'

/** A cable between a process and a server on loopback that can be pulled: what cuts one actor off while everybody else goes on. */
export interface Cable extends AsyncDisposable {
  readonly port: number
  /** every connection breaks and none can be made */
  pull(): Promise<void>
  plugIn(): Promise<void>
}

export async function layCable(toPort: number): Promise<Cable> {
  const sockets = new Set<Socket>()
  const carry = (near: Socket) => {
    const far = connect(toPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy()) // a broken end is what a cable is for
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }
  let server = await listen(0, carry)
  const { port } = server.address() as { port: number }
  const pull = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
    return promise
  }
  return {
    port,
    pull,
    async plugIn() {
      server = await listen(port, carry)
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await pull()
    },
  }
}

function listen(port: number, carry: (socket: Socket) => void): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer(carry)
  server.once('error', reject)
  server.listen(port, '127.0.0.1', () => resolve(server))
  return promise
}
