import { readdir, readFile } from 'node:fs/promises'

export interface Found {
  readonly pid: number
  readonly command: string
}

/** Processes whose command line or environment contains one of the texts, this one excepted: what a cluster left behind. */
export async function processesWith(texts: readonly string[]): Promise<Found[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      // a process may end while it is looked at, or be another user's
      const [command, environment] = await Promise.all(['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')))
      const all = `${command}\0${environment}`
      return texts.some((text) => all.includes(text)) ? [{ pid: Number(pid), command: (command ?? '').replaceAll('\0', ' ').trim() }] : []
    }),
  )
  return found.flat().filter(({ command }) => command !== '') // a zombie has neither
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
