/**
 * actor-child: one actor as a child process, in a process group of its own so that a Ctrl-C reaches it only through us.
 *
 * SAYS       deaths, with the last lines of its log; on each death its node key is purged, so that its shards are free at once (design §6)
 * ON CRASH   of ours: the IPC channel closes, and it ends within 5 s (services/runtime/lifecycle.ts)
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BadConfig } from '../../services/runtime/errors.ts'
import { heapFlags } from '../../services/runtime/heap.ts'
import { type Exit, type Kept, keep } from './kept.ts'
import type { ActorRole } from './roles.ts'

export interface ActorPlan {
  readonly role: ActorRole
  /** from 1; several senders */
  readonly number: number
  readonly env: Readonly<Record<string, string>>
  readonly logDir: string
  readonly say: (line: string) => void
  readonly onChange: () => void
  readonly purge: (role: ActorRole, nodeId: string) => Promise<void>
  /** it can never run like this */
  readonly onBadConfig: (error: BadConfig) => void
}

export interface ActorChild {
  readonly role: ActorRole
  readonly number: number
  readonly kept: Kept
  readonly nodeId: string
  /** address of its health page; null until it has started */
  readonly health: string | null
  /** resolves when a life of it has started */
  readonly started: Promise<void>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Stripped and compiled sources by their content: a fifth less of each start. */
const COMPILED = join(ROOT, '.cache/node')
const EXIT_BAD_CONFIG = 78
const LAST_WORDS_BYTES = 8_000
const LAST_WORDS_LINES = 4
const LAST_WORDS_WIDTH = 400
const LOG_MOST_BYTES = 50_000_000

export async function startActor(plan: ActorPlan): Promise<ActorChild> {
  const { role, number, say } = plan
  const name = `${role}-${number}`
  const logFile = join(plan.logDir, `${name}.log`)
  await setAside(logFile)
  const started = Promise.withResolvers<void>()
  let nodeId = ''
  let lifeFrom = 0 // where this life begins in the log
  let health: string | null = null

  const kept = keep({
    name,
    spawn: (life) => {
      nodeId = `${name}-${life}-${randomBytes(3).toString('hex')}`
      const log = openSync(logFile, 'a')
      lifeFrom = fstatSync(log).size
      const child = spawn(process.execPath, [...heapFlags(role), join(ROOT, 'services', role, 'main.ts')], {
        cwd: ROOT,
        env: { NODE_COMPILE_CACHE: COMPILED, ...plan.env, HATO_NODE_ID: nodeId },
        stdio: ['ignore', log, log, 'ipc'],
        detached: true,
      })
      closeSync(log)
      return child
    },
    onStart: (child) => {
      plan.onChange()
      hearStarted(child, (address) => {
        health = address
        if (kept.lives > 1) say(`${name} is back`)
        started.resolve()
        plan.onChange()
      })
    },
    async onDeath(exit, pauseMs) {
      health = null
      plan.onChange()
      if (exit.code === EXIT_BAD_CONFIG) {
        plan.onBadConfig(new BadConfig(`${name} cannot be configured:${await lastWords(logFile, lifeFrom)}`))
        return 'give-up'
      }
      say(
        `${name} ended (${howOf(exit)}) and starts again in ${pauseMs} ms; its log is ${logFile}${exit.signal === null ? await lastWords(logFile, lifeFrom) : ''}`,
      )
      await plan.purge(role, nodeId)
      return 'restart'
    },
  })
  return {
    role,
    number,
    kept,
    get nodeId() {
      return nodeId
    },
    get health() {
      return health
    },
    started: started.promise,
  }
}

function hearStarted(child: ChildProcess, tell: (health: string) => void): void {
  child.on('message', (message: { kind?: unknown; health?: unknown }) => {
    if (message.kind === 'started') tell(String(message.health))
  })
}

export function howOf({ code, signal }: Pick<Exit, 'code' | 'signal'>): string {
  return signal ?? `exit ${code ?? 'unknown'}`
}

/** A log that has grown long makes room at a start; the one before it is kept. */
async function setAside(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0, // the first start
  )
  if (size > LOG_MOST_BYTES) await rename(file, `${file}.1`)
}

/** What is no word of an actor's own: everyday's log lines, frames of a stack, the runtime's signature. */
const NOISE = /^\{"level":"(info|debug|warn)"|^\s+at |^Node\.js v|^\s*$/

/** What a life left in its log, `from` being where it began: its last errors, a line each. */
async function lastWords(file: string, from: number): Promise<string> {
  await using log = await open(file)
  const { size } = await log.stat()
  const start = Math.max(from, size - LAST_WORDS_BYTES)
  const { buffer, bytesRead } = await log.read(Buffer.alloc(size - start), 0, size - start, start)
  const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
  if (start > from) lines.shift() // half a line
  return lines
    .filter((line) => !NOISE.test(line))
    .slice(-LAST_WORDS_LINES)
    .map((line) => `\n  ${readable(line).slice(0, LAST_WORDS_WIDTH)}`)
    .join('')
}

/** A line of the JSON log as words. */
function readable(line: string): string {
  try {
    const { event, error } = JSON.parse(line) as { event?: unknown; error?: unknown }
    return `${event}${error === undefined ? '' : `: ${String(error).split('\n', 1)[0]}`}`
  } catch {
    return line // not of the log: what Node itself says when a file does not load
  }
}
