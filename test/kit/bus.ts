import { afterAll, beforeAll } from 'vitest'
import { type Bus, connectBus, type StreamSpec } from '../../services/runtime/bus.ts'
import type { Log } from '../../services/runtime/log.ts'
import { type NatsOptions, startNats, type TestNats } from './nats.ts'

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines, for tests about what is said. */
export function listeningLog(lines: LogLine[] = []): Log & { readonly lines: LogLine[] } {
  const keep = (level: string) => (event: string, fields?: Readonly<Record<string, unknown>>) => void lines.push({ level, event, fields: fields ?? {} })
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error'), child: () => listeningLog(lines) }
}

/** One server and one connection for all tests of a file. */
export function natsForFile(options: NatsOptions = {}): { readonly nats: TestNats; readonly bus: Bus; readonly log: ReturnType<typeof listeningLog> } {
  const here = { log: listeningLog() } as { nats: TestNats; bus: Bus; log: ReturnType<typeof listeningLog> }
  beforeAll(async () => {
    here.nats = await startNats(options)
    here.bus = await connectBus({ url: here.nats.url, name: 'test', log: here.log })
  })
  afterAll(async () => {
    await here.bus?.[Symbol.asyncDispose]()
    await here.nats?.[Symbol.asyncDispose]()
  })
  return here
}

/** A stream of a test: everything on, unless said otherwise. */
export function testStream(name: string, subjects: readonly string[], changes: Partial<StreamSpec> = {}): StreamSpec {
  return {
    name,
    subjects,
    retention: 'limits',
    discard: 'old',
    maxAgeMs: 0,
    maxBytes: 0,
    duplicateWindowMs: 100,
    atomic: true,
    schedules: true,
    rollup: true,
    ttl: true,
    direct: true,
    ...changes,
  }
}

export const text = (body: Uint8Array): string => new TextDecoder().decode(body)
export const bytes = (body: string): Uint8Array => new TextEncoder().encode(body)

export async function gather<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of from) all.push(one)
  return all
}

/** Waits for a condition that has no event of its own; fails with what it waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${withinMs} ms for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The real bus, some of whose calls a test has changed: what gets lost, and between which two steps. */
export function withFaults(bus: Bus, changed: Partial<Bus>): Bus {
  return new Proxy(bus, {
    get(target, key) {
      const own: unknown = Reflect.get(key in changed ? changed : target, key)
      return typeof own === 'function' && !(key in changed) ? own.bind(target) : own
    },
  })
}
