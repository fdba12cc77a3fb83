import { createHash } from 'node:crypto'
import { mkdir, realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { BadConfig } from '../../services/runtime/errors.ts'

/**
 * One cluster per data folder: two nats-servers on one store would destroy it. The lock is a socket in Linux's abstract namespace, which
 * goes with its process however that ends; elsewhere there is none.
 */
export async function lockDataDir(dataDir: string): Promise<AsyncDisposable> {
  await mkdir(dataDir, { recursive: true }).catch((error: unknown) => {
    throw new BadConfig(`the data folder ${dataDir} cannot be made: ${error instanceof Error ? error.message : error}`)
  })
  if (process.platform !== 'linux') return { [Symbol.asyncDispose]: async () => {} }
  const name = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex')
    .slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', () => reject(new BadConfig(`another cluster runs on the data folder ${dataDir}; stop it, or set HATO_DATA to another folder`)))
  server.listen(`\0hato-${name}`, resolve)
  await promise
  server.unref()
  return {
    [Symbol.asyncDispose]: () => {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      return closed.promise
    },
  }
}
