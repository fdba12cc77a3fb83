/**
 * Processes of the benchmark's own: each in a process group of its own, so that a Ctrl-C reaches it through us only, and each ends with us however we end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { endProcess } from '../start/kept.ts'

export interface Child extends AsyncDisposable {
  readonly pid: number
  /** its last words, when it has ended; null while it runs */
  ended(): string | null
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** a file descriptor for its stdout */
  readonly stdout?: number
}

const END_WITHIN_MS = 10_000
const READY_WITHIN_MS = 30_000

/** A shell that waits on a pipe whose other end only this process holds, and becomes the program itself: `$$` is its process id. */
const GUARD = '(read -r word <&3 || { kill -TERM $$; sleep 2; kill -KILL $$; }) 2>/dev/null & exec 3<&-; exec "$@"'

export function startChild(program: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child: ChildProcess = spawn('/bin/sh', ['-c', GUARD, program, program, ...args], {
    stdio: ['ignore', options.stdout ?? 'ignore', 'pipe', 'pipe'],
    detached: true,
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  })
  let said = ''
  let how: string | null = null
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const guard = child.stdio[3] as NodeJS.WritableStream
  guard.on('error', () => {}) // the guard has ended before us
  child.once('exit', (code, signal) => {
    how = `ended (${signal ?? `exit ${code}`})${said === '' ? '' : `: ${said.trim()}`}`
    guard.end('\n')
  })
  return {
    pid: child.pid as number,
    ended: () => how,
    [Symbol.asyncDispose]: async () => void (await endProcess(child, END_WITHIN_MS)),
  }
}

/** Resolves when somebody listens there. */
export async function listening(name: string, child: Child, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS
  while (!(await accepts(host, port))) {
    const ended = child.ended()
    if (ended !== null) throw new Error(`${name} ${ended}`)
    if (performance.now() > deadlineMs) throw new Error(`${name} does not listen on ${host}:${port} after ${READY_WITHIN_MS / 1_000} s`)
    await pause(50) // a port that opens gives no event
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port })
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
