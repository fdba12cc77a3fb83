/** Suppression lists as files, of millions of lines: read and written as they come, never held. */
import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Problem } from '../../protocol/campaign.ts'
import type { SuppressionEntry } from '../../protocol/messages/ops.ts'
import { OBJECT_BUCKET, objectOf } from '../../protocol/buckets.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { checkSuppressionCsv, readSuppressionCsv } from '../../services/scheduler/suppression-csv.ts'
import { ask } from './ask.ts'
import type { Here } from './command.ts'
import { Failure, problemLine } from './failure.ts'
import { count, counted, percent } from './format.ts'
import { named, reason } from './read-input.ts'

const EXPORT_WITHIN_MS = 600_000
const ADD_WITHIN_MS = 60_000
/** entries of one request (protocol/messages/ops.ts) */
const AT_ONCE = 500
/** requests on their way: enough to hide the far end's fsync */
const UNDER_WAY = 8
const SHOW_EVERY_MS = 200

export interface Imported {
  readonly added: number
  readonly unusable: number
  readonly problems: readonly Problem[]
}

/** Reads the file twice: nothing is imported when a line is unusable, unless these are to be left out. Adding twice changes nothing, so a broken import is begun again. */
export async function importList(bus: Bus, tenant: string, file: string, here: Here, { skipUnusable }: { readonly skipUnusable: boolean }): Promise<Imported> {
  await using kept = await onDisk(file)
  const { usable, unusable, problems } = await checkSuppressionCsv(read(kept.path, file, here), shown(here, `checking ${named(file)}`))
  if (usable + unusable === 0) throw new Failure('failed', `${named(file)} is empty; nothing was imported`)
  if (usable === 0 || (unusable > 0 && !skipUnusable))
    throw new Failure('failed', `nothing of ${named(file)} was imported: ${count(unusable)} of its ${counted(usable + unusable, 'line')} unusable`, {
      problems,
    })
  for (const problem of problems) here.screen.note(`left out: ${problemLine(problem)}`)
  const show = shown(here, `importing for ${tenant}`, usable)
  let added = 0
  const add = async (entries: readonly SuppressionEntry[]): Promise<void> => {
    await ask(bus, { subject: subject('suppression', { tenant }), body: { action: 'add', entries }, who: 'scheduler', timeoutMs: ADD_WITHIN_MS })
    added += entries.length
    show(added)
  }
  const underWay: Promise<void>[] = []
  let entries: SuppressionEntry[] = []
  try {
    for await (const line of readSuppressionCsv(read(kept.path, file, here))) {
      if (line.kind === 'entry') entries.push(line.entry)
      if (entries.length < AT_ONCE) continue
      underWay.push(add(entries))
      entries = []
      if (underWay.length >= UNDER_WAY) await underWay.shift()
    }
    if (entries.length > 0) underWay.push(add(entries))
    await Promise.all(underWay)
  } catch (error) {
    await Promise.allSettled(underWay)
    if (error instanceof Failure)
      throw new Failure(error.kind, `${error.message}; ${counted(added, 'entry', 'entries')} of ${count(usable)} are in, import the file again`, error)
    throw error
  } finally {
    here.screen.endLive()
  }
  return { added, unusable, problems }
}

/** How many entries were written; to standard output for `-`. */
export async function exportList(bus: Bus, tenant: string, file: string, write: (text: string) => void): Promise<number> {
  const object = objectOf('suppression', tenant, `export-${randomUUID()}.csv`)
  const objects = openObjects(bus, OBJECT_BUCKET)
  const { exported } = await ask<{ readonly exported: number }>(bus, {
    subject: subject('suppression', { tenant }),
    body: { action: 'export', object },
    who: 'scheduler',
    timeoutMs: EXPORT_WITHIN_MS,
  })
  try {
    if (file !== '-') await pipeline(Readable.from(objects.read(object)), createWriteStream(file))
    else {
      const decoder = new TextDecoder()
      for await (const chunk of objects.read(object)) write(decoder.decode(chunk, { stream: true }))
    }
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).errno !== 'number') throw error
    throw new Failure('failed', `${file} cannot be written: ${reason(error)}`)
  } finally {
    await objects.remove(object)
  }
  return exported
}

/** A file that can be read twice; standard input is kept until the end. */
async function onDisk(file: string): Promise<AsyncDisposable & { readonly path: string }> {
  if (file !== '-') {
    const found = await stat(file).catch((error: unknown) => {
      throw new Failure('failed', `${file} cannot be read: ${reason(error)}`)
    })
    if (!found.isFile()) throw new Failure('failed', `${file} is no file; it is read twice, so a pipe will only do as standard input (-)`)
    return { path: file, [Symbol.asyncDispose]: async () => {} }
  }
  const folder = await mkdtemp(join(tmpdir(), 'hato-import-'))
  const path = join(folder, 'input.csv')
  await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }))
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

async function* read(path: string, file: string, { stopping }: Here): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { signal: stopping, highWaterMark: 256 << 10 })) yield chunk as Uint8Array
  } catch (error) {
    if (stopping.aborted || typeof (error as NodeJS.ErrnoException).errno !== 'number') throw error
    throw new Failure('failed', `${named(file)} cannot be read: ${reason(error)}`)
  }
}

function shown({ screen }: Here, what: string, of?: number): (lines: number) => void {
  let shownMs = 0
  return (lines) => {
    if (performance.now() - shownMs < SHOW_EVERY_MS) return
    shownMs = performance.now()
    screen.live([`  ${what}: ${counted(lines, 'line')}${of === undefined ? '' : `, ${percent(lines, of)}`}`])
  }
}
