/** What the processes of a cluster cost, as /proc tells it. */
import { readFile } from 'node:fs/promises'
import type { ClusterState } from '../../start/state-file.ts'
import { cpuTime } from '../profile/cpu.ts'

export interface Process {
  /** `scheduler`, `sender 2`, `nats-server` */
  readonly name: string
  readonly pid: number
}

export function processesOf({ nats, actors }: ClusterState): Process[] {
  return [
    ...actors.flatMap(({ role, number, pid }) => (pid === null ? [] : [{ name: role === 'sender' ? `sender ${number}` : role, pid }])),
    ...(nats?.pid ? [{ name: 'nats-server', pid: nats.pid }] : []),
  ]
}

/** CPU of all of them together until now, milliseconds. */
export async function cpuMs(processes: readonly Process[]): Promise<number> {
  const times = await Promise.all(processes.map(({ pid }) => cpuTime(pid)))
  return times.reduce((sum, { allMs }) => sum + allMs, 0)
}

/** Resident memory, and the most it ever was, MB; `shared`: what several processes use counts in parts (PSS). */
export async function memoryMb({ pid }: Process): Promise<{ readonly now: number; readonly peak: number; readonly shared: number }> {
  const [status, rollup] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')])
  return { now: kb(status, 'VmRSS') / 1_024, peak: kb(status, 'VmHWM') / 1_024, shared: kb(rollup, 'Pss') / 1_024 }
}

const kb = (text: string, field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
