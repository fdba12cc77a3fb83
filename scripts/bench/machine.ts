/** What it was measured on, and how fast that signs. Names no host and no path. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir, totalmem, loadavg } from 'node:os'
import { promisify } from 'node:util'
import { findNatsServer } from '../start/nats-program.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  readonly nats: string
  /** where every queue and store lies */
  readonly fileSystem: string
  /** of one minute, before the start; others share the cores */
  readonly load: number
}

export async function machine(): Promise<Machine> {
  const [release, fileSystem, nats] = await Promise.all([
    readFile('/etc/os-release', 'utf8').catch(() => ''),
    said('df', ['--output=fstype', tmpdir()]),
    findNatsServer().then(({ version }) => version),
  ])
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? process.platform,
    node: process.versions.node,
    nats,
    fileSystem: fileSystem?.trim().split('\n').at(-1) ?? 'unknown',
    load: loadavg()[0] ?? 0,
  }
}

/** RSA-2048 signatures a second on one core, by `openssl speed`; null where there is none. */
export async function signaturesPerSecond(seconds: number, signal: AbortSignal): Promise<number | null> {
  const told = await said('openssl', ['speed', '-seconds', String(seconds), 'rsa2048'], signal)
  return told === null ? null : readSpeed(told)
}

/** `rsa 2048 bits 0.000278s 0.000008s   3600.5 122000.3`: seconds a signature and a check, then how many a second. */
export function readSpeed(text: string): number | null {
  const perSecond = /^rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)\s+[\d.]+/m.exec(text)?.[1]
  return perSecond === undefined ? null : Number(perSecond)
}

/** What a program printed; null when it is not there or does not run. */
async function said(program: string, args: readonly string[], signal?: AbortSignal): Promise<string | null> {
  try {
    return (await promisify(execFile)(program, args, { encoding: 'utf8', ...(signal && { signal }) })).stdout
  } catch {
    signal?.throwIfAborted()
    return null
  }
}
