import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { problemsOf, type Problem } from '../../../protocol/campaign.ts'
import { encodeJson } from '../../../protocol/codec.ts'
import { Feedback } from '../../../protocol/messages/ops.ts'
import { subject } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { tenantOf } from '../arguments.ts'
import type { Command } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'
import { readReturnedMail } from '../feedback-mail.ts'
import { counted } from '../format.ts'
import { named, readInput, reason } from '../read-input.ts'
import { printable } from '../text.ts'

const UNDER_WAY = 64

interface Gathered {
  readonly entries: readonly Feedback[]
  /** mails that are no feedback, and why */
  readonly skipped: readonly string[]
}

export const feedbackCommand: Command = {
  name: 'feedback import',
  positionals: [{ name: 'TENANT' }, { name: 'FILE|MAILDIR|-' }],
  options: ['json'],
  says: 'bounces and complaints that came back: NDJSON, or a folder of mails',
  more: 'A line is {"id", "kind": "bounce|complaint|unsubscribe", "at", "source", and one of "token", "rcpt", "ref"}; when one line is wrong nothing is imported. From a maildir, bounces (DSN) and complaints (ARF) are read; other mails are named and left out. Importing the same twice counts once.',
  examples: ['hato feedback import acme unsubscribed.ndjson', 'hato feedback import acme /var/mail/bounces/'],
  async run(asked, here) {
    const tenant = tenantOf(asked.positionals[0] as string)
    const from = asked.positionals[1] as string
    const { entries, skipped } = (await isFolder(from)) ? await readFolder(from) : { entries: readLines(await readInput(from), from), skipped: [] }
    const bus = await here.bus()
    await publishAll(bus, tenant, entries, here.stopping)
    if (asked.flags.has('json')) here.screen.out(JSON.stringify({ ok: true, imported: entries.length, skipped: skipped.length }))
    else {
      for (const line of skipped) here.screen.note(`left out: ${printable(line)}`)
      here.screen.out(
        `${counted(entries.length, 'entry', 'entries')} of feedback published for ${tenant}${skipped.length > 0 ? `, ${counted(skipped.length, 'mail')} left out` : ''}`,
      )
    }
    return EXIT.ok
  },
}

async function isFolder(path: string): Promise<boolean> {
  if (path === '-') return false
  const found = await stat(path).catch((error: unknown) => {
    throw new Failure('failed', `${path} cannot be read: ${reason(error)}`)
  })
  return found.isDirectory()
}

/** Strict: every wrong line is named, and then nothing is imported. */
export function readLines(text: string, file: string): Feedback[] {
  const entries: Feedback[] = []
  const problems: Problem[] = []
  for (const [at, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue
    const read = readLine(line)
    if (read.kind === 'good') entries.push(read.entry)
    else problems.push(...read.problems.map(({ path, message }) => ({ path: `line ${at + 1}${path === '' ? '' : ` ${path}`}`, message })))
  }
  if (problems.length > 0)
    throw new Failure('failed', `${named(file)}: nothing was imported, ${counted(problems.length, 'problem')}`, { code: 'bad-lines', problems })
  if (entries.length === 0) throw new Failure('failed', `${named(file)} is empty; nothing was imported`)
  return entries
}

type Line = { readonly kind: 'good'; readonly entry: Feedback } | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

function readLine(line: string): Line {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return { kind: 'bad', problems: [{ path: '', message: `is not JSON: ${(error as Error).message}` }] }
  }
  const read = Feedback.safeParse(value)
  if (!read.success) return { kind: 'bad', problems: problemsOf(read.error) }
  const { token, rcpt, ref } = read.data
  if (token === undefined && rcpt === undefined && ref === undefined)
    return { kind: 'bad', problems: [{ path: '', message: 'says of nobody: one of token, rcpt, ref is needed' }] }
  return { kind: 'good', entry: read.data }
}

/** A maildir's `new` and `cur`, or any folder of mails. */
async function readFolder(folder: string): Promise<Gathered> {
  const entries: Feedback[] = []
  const skipped: string[] = []
  for (const file of await mailsOf(folder)) {
    const read = await readReturnedMail(await readFile(join(folder, file)), file)
    if (read.kind === 'feedback') entries.push(...read.entries)
    else skipped.push(`${file}: ${read.because}`)
  }
  return { entries, skipped }
}

async function mailsOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { withFileTypes: true })
  const parts = names.filter((one) => one.isDirectory() && (one.name === 'new' || one.name === 'cur')).map(({ name }) => name)
  if (parts.length === 0) return names.filter((one) => one.isFile() && !one.name.startsWith('.')).map(({ name }) => name)
  return (await Promise.all(parts.map(async (part) => (await readdir(join(folder, part))).map((name) => join(part, name))))).flat()
}

async function publishAll(bus: Bus, tenant: string, entries: readonly Feedback[], stopping: AbortSignal): Promise<void> {
  const on = subject('feedback', { tenant })
  const underWay: Promise<void>[] = []
  const publish = async (entry: Feedback) => {
    const stored = await bus.store(on, encodeJson(entry), { msgId: `${tenant}/${entry.id}` })
    if (stored.kind === 'refused')
      throw new Failure('failed', `NATS refused feedback ${entry.id}: ${stored.message} (${stored.code}); import it again, what was taken counts once`)
  }
  try {
    for (const entry of entries) {
      stopping.throwIfAborted()
      underWay.push(publish(entry))
      if (underWay.length >= UNDER_WAY) await underWay.shift()
    }
  } finally {
    await Promise.all(underWay)
  }
}
