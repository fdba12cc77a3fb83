import { readFile } from 'node:fs/promises'
import { Failure } from './failure.ts'

/** The text of a file, or of standard input for `-`. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') {
    const chunks: Uint8Array[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
    return Buffer.concat(chunks).toString('utf8')
  }
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure('failed', `${file} cannot be read: ${reason(error)}`)
  }
}

/** `no such file or directory`, without Node's own decoration. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return /^[A-Z]+: ([^,]+)/.exec(text)?.[1] ?? text
}

export function named(file: string): string {
  return file === '-' ? 'standard input' : file
}
