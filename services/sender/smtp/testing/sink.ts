import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { userInfo } from 'node:os'

const ADDRESS = '127.0.2.1'
/** An ordinary user's PATH has no sbin. */
const OUTSIDE_PATH = ['/usr/sbin/smtp-sink', '/usr/local/sbin/smtp-sink']
const START_MS = 5_000
const KNOCK_EVERY_MS = 20

export interface Sink extends AsyncDisposable {
  readonly address: string
  readonly port: number
}

/** Postfix's smtp-sink with these options (smtp-sink(1)). Fails, and does not skip, where it is not installed. */
export async function startSink(...options: string[]): Promise<Sink> {
  const port = await freePort()
  // smtp-sink refuses to run as root without being told whom to become.
  const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const binary = OUTSIDE_PATH.find((path) => existsSync(path)) ?? 'smtp-sink'
  const child = spawn(binary, [...user, ...options, `${ADDRESS}:${port}`, '100'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'smtp-sink is not installed: sudo apt-get install postfix' : error.message),
    )
    child.once('exit', () => resolve(`smtp-sink ended: ${said}`))
  })
  const up = await Promise.race([answering(port), ended])
  if (up !== null) throw new Error(up)
  return {
    address: ADDRESS,
    port,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, ADDRESS)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** smtp-sink says nothing when it is ready, so it is asked. */
async function answering(port: number): Promise<null> {
  for (const giveUp = performance.now() + START_MS; performance.now() < giveUp; ) {
    const socket = connect(port, ADDRESS)
    const up = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (up) return null
    await new Promise((resolve) => setTimeout(resolve, KNOCK_EVERY_MS))
  }
  throw new Error(`smtp-sink does not answer on ${ADDRESS}:${port}`)
}
