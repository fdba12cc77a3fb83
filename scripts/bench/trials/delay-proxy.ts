/** A line between two loopback addresses that takes its time: what comes in goes out `delayMs` later, in order, both ways. */
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Line {
  readonly host: string
  readonly port: number
}

/** @param port 0 = a free one */
export async function startDelayProxy(to: Line, host: string, delayMs: number, port = 0): Promise<Line & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: to.host, port: to.port, noDelay: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      // Timers of one length fire in the order they were set, so nothing overtakes.
      one.on('data', (bytes: Buffer) => void setTimeout(() => other.writable && other.write(bytes), delayMs))
      one.on('end', () => void setTimeout(() => other.end(), delayMs))
      one.on('error', () => other.destroy())
      one.on('close', () => sockets.delete(one))
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    host,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
