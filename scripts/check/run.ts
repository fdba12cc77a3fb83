/** Child processes of the check: each in its own process group, so that ending one ends everything it started. */
import { spawn } from 'node:child_process'

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string; readonly timedOut: boolean; readonly ms: number }

/** `show: 'stdout'` passes the child's stdout on instead of keeping it. */
export type RunOptions = { readonly limitMs: number; readonly cwd?: string; readonly show?: 'stdout'; readonly env?: Record<string, string> }

const running = new Set<number>()

/** Runs one of our tools under this very Node. */
export function runNode(args: readonly string[], options: RunOptions): Promise<Finished> {
  return runProgram(process.execPath, args, options)
}

/** Never rejects: a program that cannot be started is one that ended with `code: null` and its reason in `stderr`. */
export function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { promise, resolve } = Promise.withResolvers<Finished>()
  const startedAt = performance.now()
  const child = spawn(program, args, {
    cwd: options.cwd ?? process.cwd(),
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.show === 'stdout' ? 'inherit' : 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    endGroup(child.pid)
  }, options.limitMs)
  if (child.pid !== undefined) running.add(child.pid)
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
  const end = (code: number | null, note = '') => {
    clearTimeout(timer)
    if (child.pid !== undefined) running.delete(child.pid)
    resolve({ code, stdout: text(out), stderr: text(err) + note, timedOut, ms: performance.now() - startedAt })
  }
  child.once('error', (error) => end(null, `${program}: ${error.message}`))
  child.once('close', (code) => end(code))
  return promise
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString()
}

/** To be called on the signals that end the check: nothing it started outlives it. */
export function endAll(): void {
  for (const pid of running) endGroup(pid)
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // gone already is what was wanted
  }
}
