import { join } from 'node:path'
import type { Env } from './config.ts'

/**
 * While the whole heap is marked V8 puts off collecting the young generation and lets that grow to twice its size and more; its pages stay the process's when
 * they are free again. A scheduler that reads a long list marks most of the time, and stood 20 MB higher for it. Senders do not, and there it may cost a little CPU.
 */
const YOUNG_AT_ANY_TIME = '--no-separate-gc-phases'

/** A sender makes the most short-lived octets, so its old generation may grow a little more; 8 MB of young ones cost it no CPU that shows, 16 took a thousand sessions over 250 MB. */
const HEAPS: ReadonlyMap<string, { readonly growingPercent: number; readonly semiSpaceMb: number; readonly more?: string }> = new Map([
  ['scheduler', { growingPercent: 30, semiSpaceMb: 8, more: YOUNG_AT_ANY_TIME }],
  ['domain-router', { growingPercent: 30, semiSpaceMb: 8 }],
  ['ip-manager', { growingPercent: 30, semiSpaceMb: 4 }],
  ['sender', { growingPercent: 50, semiSpaceMb: 8 }],
])

/** A young generation of 8 MB is collected in a few ms; helpers that do it side by side wait for each other on cores that other actors need: with a sender a core they cost a tenth of its CPU. */
const ONE_SCAVENGER = '--no-parallel-scavenge'

/**
 * What V8 is told about an actor's heap. By itself it lets a heap grow to twice and more of what lives before it collects, and the young generation to 48 MB,
 * as long as the machine has memory: an actor that holds 60 MB then stands at 300. What grows with the work lies outside the heap (tallies, indexes,
 * de-duplication), so collecting sooner costs little.
 */
export function heapFlags(role: string): readonly string[] {
  const heap = HEAPS.get(role)
  if (heap === undefined) return []
  const flags = [`--heap-growing-percent=${heap.growingPercent}`, `--max-semi-space-size=${heap.semiSpaceMb}`, ONE_SCAVENGER]
  return heap.more === undefined ? flags : [...flags, heap.more]
}

/** Those that neither the command line nor NODE_OPTIONS decides already. */
export function missingFlags(role: string, execArgv: readonly string[], nodeOptions = ''): readonly string[] {
  const said = [...execArgv, ...nodeOptions.split(/\s+/)].map(nameOf)
  return heapFlags(role).filter((flag) => !said.includes(nameOf(flag)))
}

/** V8 takes `_` for `-`, and `--no-x` says of `x` what `--x` says. */
function nameOf(flag: string): string {
  return (flag.split('=')[0] as string).replaceAll('_', '-').replace(/^--no-?/, '--')
}

/**
 * V8 hears of its heap by arguments only, so a process that was started without them (a container's, `hato run`, `node services/<role>/main.ts`) becomes
 * its own actor's anew, under the same process id. NOTE: not a supervisor's child: it gave them, and the channel to it would not outlive this.
 */
export function settleHeap(role: string, env: Env): void {
  const flags = missingFlags(role, process.execArgv, env.NODE_OPTIONS)
  if (flags.length === 0 || process.connected || process.execve === undefined) return
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, join(import.meta.dirname, '..', role, 'main.ts')], { ...env })
}
