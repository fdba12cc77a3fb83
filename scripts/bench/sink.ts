/** The far end of everybody: Postfix's smtp-sink, which takes all and keeps nothing. */
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../start/port-holder.ts'
import { listening, startChild } from './children.ts'
import type { Target } from './contender.ts'

/** An ordinary user's PATH has no sbin. */
const PATHS = ['/usr/sbin/smtp-sink', '/usr/local/sbin/smtp-sink']
export const SINK_ADDRESS = '127.0.2.200'
/** Two senders full of warm sessions and more: beyond it the sink greets nobody until others have gone, and mails wait there for idle sessions to end (30 s). */
const SESSIONS_MOST = '4000'
/** a line of counters is some 40 octets */
const TAIL_BYTES = 400

export const findSink = (): string | null => PATHS.find((path) => existsSync(path)) ?? null

/** NOTE: it writes its counters at each mail, so they go into a file: a pipe would wake us as often. */
export async function startSink(dir: string, host: string = SINK_ADDRESS): Promise<Target & AsyncDisposable> {
  const program = findSink()
  if (program === null) throw new Error('smtp-sink is missing: it comes with Debian’s package postfix, and all mails of a benchmark go there')
  const port = await freePort(host)
  await using starting = new AsyncDisposableStack()
  const counters = starting.adopt(await open(join(dir, `sink-counters-${port}`), 'a+'), (file) => file.close())
  const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const child = starting.use(startChild(program, [...user, '-c', '-m', SESSIONS_MOST, `${host}:${port}`, '500'], { stdout: counters.fd }))
  await listening('smtp-sink', child, { host, port })
  const parts = starting.move()
  const tail = Buffer.alloc(TAIL_BYTES)
  return {
    host,
    port,
    async counted() {
      const ended = child.ended()
      if (ended !== null) throw new Error(`smtp-sink ${ended}`)
      const { size } = await counters.stat()
      const { bytesRead } = await counters.read(tail, 0, TAIL_BYTES, Math.max(0, size - TAIL_BYTES))
      return Number([...tail.toString('latin1', 0, bytesRead).matchAll(/mesg=(\d+)\s/g)].at(-1)?.[1] ?? 0)
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
