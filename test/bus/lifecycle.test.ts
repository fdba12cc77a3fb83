import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { heapFlags } from '../../services/runtime/heap.ts'
import { bytes, natsForFile, text, until } from '../kit/bus.ts'

const here = natsForFile()

interface Line {
  readonly event?: string
  readonly [field: string]: unknown
}

interface Run extends AsyncDisposable {
  readonly child: ChildProcess
  readonly lines: Line[]
  readonly stderr: () => string
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  started(): Promise<Line>
}

function run(file: 'actor-process' | 'supervisor-process', env: Record<string, string>): Run {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../kit/${file}.ts`, import.meta.url))], {
    env: { PATH: process.env.PATH ?? '', HATO_NATS_URL: here.nats.url, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: Line[] = []
  let stderr = ''
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() as string
    for (const part of parts) lines.push(JSON.parse(part) as Line)
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const exit = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>()
  child.once('close', (code, signal) => exit.resolve({ code, signal }))
  return {
    child,
    lines,
    stderr: () => stderr,
    exit: exit.promise,
    async started() {
      await until('the actor to start', () => lines.some(({ event }) => event === 'started') || child.exitCode !== null, 10_000)
      return lines.find(({ event }) => event === 'started') ?? {}
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exit.promise
    },
  }
}

test('SIGTERM: the actor lets go while its connection still stands, then exit 0', async () => {
  await using actor = run('actor-process', {})
  const started = await actor.started()
  const health = String(started.health)
  expect(await (await fetch(`${health}/readyz`)).json()).toEqual({ ready: true, because: [] })
  expect((await fetch(`${health}/healthz`)).status).toBe(200)
  expect(await (await fetch(`${health}/metrics`)).text()).toMatch(/hato_process_resident_bytes\{role="test",node="[^"]+"\} \d+/)
  const answer = await here.bus.ask('actor.mood', bytes(''), { timeoutMs: 1_000 })
  expect(answer.kind === 'answer' && text(answer.body)).toBe('good')
  actor.child.kill('SIGTERM')
  expect(await actor.exit).toEqual({ code: 0, signal: null })
  expect(actor.lines.map(({ event }) => event)).toEqual(['configured', 'started', 'stopping', 'let-go', 'stopped'])
  expect(actor.lines.find(({ event }) => event === 'let-go')).toMatchObject({ connected: true })
})

test('the same Ctrl-C heard twice within milliseconds is one wish', async () => {
  await using actor = run('actor-process', { HATO_TEST_MOOD: 'slow-stop' })
  await actor.started()
  actor.child.kill('SIGINT')
  actor.child.kill('SIGINT')
  expect(await actor.exit).toEqual({ code: 0, signal: null })
})

test('a stop that hangs is cut short after its limit', async () => {
  await using actor = run('actor-process', { HATO_TEST_MOOD: 'stuck-stop', HATO_STOP_WITHIN: '1s' })
  await actor.started()
  actor.child.kill('SIGTERM')
  expect(await actor.exit).toEqual({ code: 1, signal: null })
  expect(actor.lines.at(-1)).toMatchObject({ event: 'stop-cut-short' })
})

test('a wrong setting ends it with 78 before it connects, naming what was meant', async () => {
  await using actor = run('actor-process', { HATO_TEST_MOD: 'good', HATO_NATS_URL: 'nats://127.0.0.1:1' })
  expect(await actor.exit).toEqual({ code: 78, signal: null })
  expect(actor.stderr()).toBe('HATO_TEST_MOD is not a setting of this service; did you mean HATO_TEST_MOOD?\n')
})

test('a bug ends it with 1 and one line, addresses cut', async () => {
  await using actor = run('actor-process', { HATO_TEST_MOOD: 'crash' })
  expect(await actor.exit).toEqual({ code: 1, signal: null })
  expect(actor.lines.at(-1)).toMatchObject({ event: 'crashed', kind: 'unhandled rejection', error: expect.stringContaining('a bug of t…@example.jp') })
})

test('when NATS is not there, a stop does not wait for it', async () => {
  await using actor = run('actor-process', { HATO_NATS_URL: 'nats://127.0.0.1:1' })
  await until('it to wait for NATS', () => actor.lines.some(({ event }) => event === 'nats-waited'), 10_000)
  actor.child.kill('SIGTERM')
  expect((await actor.exit).code).toBe(0)
})

test('kill -9 of the supervisor: its child is gone within 5 s', async () => {
  await using supervisor = run('supervisor-process', {})
  await until('the child to start', () => supervisor.lines.some((line) => 'pid' in line), 10_000)
  const { pid } = supervisor.lines.find((line) => 'pid' in line) as unknown as { pid: number }
  supervisor.child.kill('SIGKILL')
  const began = performance.now()
  await until('the child to be gone', () => !alive(pid))
  expect(performance.now() - began).toBeLessThan(5_000)
  await supervisor.exit
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test.each([['services/ip-manager/main.ts'], ['scripts/cli/main.ts', 'run', 'ip-manager']])(
  'however an actor is started (%s), its heap is told of, in the very process',
  async (...args) => {
    const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH ?? '', HATO_NATS_URL: here.nats.url }, stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    try {
      let said = ''
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
      })
      await until('its first line', () => said.includes('"configured"'), 10_000)
      const command = (await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).split('\0')
      expect(command).toEqual(expect.arrayContaining([...heapFlags('ip-manager')]))
    } finally {
      child.kill('SIGTERM')
      await exited
    }
  },
)
