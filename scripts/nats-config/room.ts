import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Of what is free; the rest is for logs, for other programs, and for a server that compacts its files. */
const SHARE = 0.9

/** What the store in this folder may take of its disk, bytes: what it has, and most of what is free. */
export async function roomFor(store: string): Promise<number> {
  const [used, { bavail, bsize }] = await Promise.all([bytesIn(store), statfs(store)])
  return roomOf(used, bavail * bsize)
}

export function roomOf(usedBytes: number, freeBytes: number): number {
  return Math.floor(usedBytes + SHARE * freeBytes)
}

export async function bytesIn(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name)).then((found) => found.size)))
  return sizes.reduce((sum, size) => sum + size, 0)
}
