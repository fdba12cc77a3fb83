/** Suppression lists as files: they travel through the object store, since they may be larger than any message. */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { OBJECT_BUCKET, objectOf } from '../../protocol/buckets.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { ask } from './ask.ts'
import { Failure } from './failure.ts'
import { named, readInput, reason } from './read-input.ts'

const WITHIN_MS = 300_000

export async function importList(bus: Bus, tenant: string, file: string): Promise<{ readonly ok: true; readonly added: number }> {
  const text = withHeader(await readInput(file))
  if (text.trim() === '') throw new Failure('failed', `${named(file)} is empty; nothing was imported`)
  const object = objectOf('suppression', tenant, `import-${randomUUID()}.csv`)
  const objects = openObjects(bus, OBJECT_BUCKET)
  await objects.put(object, [new TextEncoder().encode(text)])
  try {
    return await ask(bus, { subject: subject('suppression', { tenant }), body: { action: 'import', object }, who: 'scheduler', timeoutMs: WITHIN_MS })
  } catch (error) {
    // The object's name says nothing to who gave a file.
    if (error instanceof Failure) throw new Failure(error.kind, error.message.replaceAll(object, named(file)), { code: error.code, problems: error.problems })
    throw error
  } finally {
    await objects.remove(object)
  }
}

/** An address a line is a CSV of one column whose header was left out. */
export function withHeader(text: string): string {
  const bare = text.replace(/^\ufeff/, '')
  const first = /^[^\r\n]*/.exec(bare)?.[0] ?? ''
  return first.includes('@') && !first.includes(',') ? `address\n${bare}` : bare
}

/** How many entries were written; to standard output for `-`. */
export async function exportList(bus: Bus, tenant: string, file: string, out: (text: string) => void): Promise<number> {
  const object = objectOf('suppression', tenant, `export-${randomUUID()}.csv`)
  const objects = openObjects(bus, OBJECT_BUCKET)
  const { exported } = await ask<{ readonly exported: number }>(bus, {
    subject: subject('suppression', { tenant }),
    body: { action: 'export', object },
    who: 'scheduler',
    timeoutMs: WITHIN_MS,
  })
  try {
    if (file === '-') {
      const chunks: Uint8Array[] = []
      for await (const chunk of objects.read(object)) chunks.push(chunk)
      out(Buffer.concat(chunks).toString('utf8').trimEnd())
    } else await pipeline(Readable.from(objects.read(object)), createWriteStream(file))
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).errno !== 'number') throw error
    throw new Failure('failed', `${file} cannot be written: ${reason(error)}`)
  } finally {
    await objects.remove(object)
  }
  return exported
}
