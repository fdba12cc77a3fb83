/** CPU time of processes and their threads, as /proc tells it. */
import { readdir, readFile } from 'node:fs/promises'

/** Linux counts in USER_HZ, which is 100 on every architecture that Node runs on. */
const TICK_MS = 10

export interface CpuTime {
  /** of the whole process, milliseconds */
  readonly allMs: number
  /** of its first thread: JavaScript, in a Node process */
  readonly mainMs: number
}

/** Zeroes when the process is gone. */
export async function cpuTime(pid: number): Promise<CpuTime> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
  const times = await Promise.all(
    tasks.map(async (task) => [Number(task), readTicks(await readFile(`/proc/${pid}/task/${task}/stat`, 'utf8').catch(() => ''))] as const),
  )
  return {
    allMs: times.reduce((sum, [, ticks]) => sum + ticks, 0) * TICK_MS,
    mainMs: (times.find(([task]) => task === pid)?.[1] ?? 0) * TICK_MS,
  }
}

/** utime + stime of proc(5)'s stat; the name in brackets may hold spaces and brackets itself. */
export function readTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}
