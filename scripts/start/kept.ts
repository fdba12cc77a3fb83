/**
 * kept: a process that is started again when it dies.
 *
 * OWNS       the process, its pauses between lives
 * SAYS       each start, and each death with what it said last (to whoever gave the callbacks)
 * INVARIANT  at most one of its processes lives; after `end` none does and none comes
 */
import type { ChildProcess } from 'node:child_process'
import { pauseBeforeRestart } from './backoff.ts'

export interface Exit {
  readonly pid: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly livedMs: number
}

export interface KeptPlan {
  /** `sender-2` */
  readonly name: string
  /** starts life number `life`, from 1 */
  readonly spawn: (life: number) => ChildProcess
  /** it died unasked; what is returned is awaited before the next life. `give-up`: no next life */
  readonly onDeath: (exit: Exit, pauseMs: number) => Promise<'restart' | 'give-up'>
  readonly onStart?: (child: ChildProcess) => void
}

export interface Kept {
  readonly name: string
  readonly lives: number
  /** null between two lives and after the end */
  readonly pid: number | null
  /** false when there is no process to hear it */
  signal(name: NodeJS.Signals): boolean
  /** SIGTERM, and after `withinMs` SIGKILL; resolves when it is gone, with whether it had to be killed */
  end(withinMs: number): Promise<'ended' | 'killed'>
}

export function keep(plan: KeptPlan): Kept {
  let child: ChildProcess | null = null
  let lives = 0
  let ending = false
  let pauseMs: number | null = null
  let timer: NodeJS.Timeout | undefined

  const start = () => {
    const startedMs = performance.now()
    lives++
    const mine = plan.spawn(lives)
    child = mine
    const gone = (code: number | null, signal: NodeJS.Signals | null) => {
      if (child !== mine) return // `error` of a spawn that failed may be followed by an exit
      child = null
      if (!ending) void died({ pid: mine.pid ?? 0, code, signal, livedMs: performance.now() - startedMs })
    }
    mine.once('exit', gone)
    mine.once('error', () => gone(null, null))
    plan.onStart?.(mine)
  }
  const died = async (exit: Exit) => {
    pauseMs = pauseBeforeRestart(pauseMs, exit.livedMs)
    const next = await plan.onDeath(exit, pauseMs)
    if (next === 'restart' && !ending) timer = setTimeout(start, pauseMs)
  }

  start()
  return {
    name: plan.name,
    get lives() {
      return lives
    },
    get pid() {
      return child?.pid ?? null
    },
    signal: (name) => child?.kill(name) ?? false,
    async end(withinMs) {
      ending = true
      clearTimeout(timer)
      return child === null ? 'ended' : endProcess(child, withinMs)
    },
  }
}

/** SIGTERM, then SIGKILL after `withinMs`. */
export async function endProcess(child: ChildProcess, withinMs: number): Promise<'ended' | 'killed'> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return 'ended'
  const gone = Promise.withResolvers<void>()
  child.once('exit', () => gone.resolve())
  let how: 'ended' | 'killed' = 'ended'
  const timer = setTimeout(() => {
    how = 'killed'
    child.kill('SIGKILL')
  }, withinMs)
  child.kill('SIGTERM')
  await gone.promise
  clearTimeout(timer)
  return how
}
