import { mkdtemp, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MEMORY_DISK = '/dev/shm'
const ROOM_BYTES = 512 * 1024 ** 2

/**
 * A folder for a store that is thrown away afterwards. It is synced write by write, as in production: in memory where there is room, so that a slow
 * disk does not show.
 */
export async function makeScratch(prefix: string): Promise<string> {
  return mkdtemp(join((await hasRoom(MEMORY_DISK)) ? MEMORY_DISK : tmpdir(), prefix))
}

async function hasRoom(place: string): Promise<boolean> {
  const found = await statfs(place).catch(() => null) // there is none on this system
  return found !== null && found.bavail * found.bsize >= ROOM_BYTES
}
