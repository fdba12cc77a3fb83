import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { problemsOf, type Problem } from '../../../protocol/campaign.ts'
import { encodeJson } from '../../../protocol/codec.ts'
import { Feedback } from '../../../protocol/messages/ops.ts'
import { subject } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { tenantOf } from '../arguments.ts'
import type { Command, Here } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'
import { type ReadMail, readReturnedMail } from '../feedback-mail.ts'
import { counted, percent } from '../format.ts'
import { named, readInput, reason } from '../read-input.ts'
import { printable } from '../text.ts'

const UNDER_WAY = 64
const SHOW_EVERY_MS = 200

/** What was read, and from a folder what was not understood and why. */
interface Counts {
  mails: number
  readonly kinds: Record<Feedback['kind'], number>
  readonly leftOut: { readonly file: string; readonly because: string }[]
}

export const feedbackCommand: Command = {
  name: 'feedback import',
  positionals: [{ name: 'TENANT' }, { name: 'FILE|MAILDIR|-' }],
  options: ['dry-run', 'json'],
  says: 'bounces and complaints that came back: NDJSON, or a folder of mails',
  more: 'A line is {"id", "kind": "bounce|complaint|unsubscribe", "at", "source", and one of "token", "rcpt", "ref"}; when one line is wrong nothing is imported. From a maildir (or any folder with a mail a file) bounces (DSN, qmail) and complaints (ARF, JMRP) are read that bear one of our return paths; every other mail is named with the reason. Importing the same twice counts once. --dry-run only says what would be understood.',
  examples: ['hato feedback import acme unsubscribed.ndjson', 'hato feedback import acme /var/mail/bounces/ --dry-run'],
  async run(asked, here) {
    const tenant = tenantOf(asked.positionals[0] as string)
    const from = asked.positionals[1] as string
    const counts: Counts = { mails: 0, kinds: { bounce: 0, complaint: 0, unsubscribe: 0 }, leftOut: [] }
    const entries = (await isFolder(from)) ? readFolder(from, counts, here) : readLines(await readInput(from), from)
    const bus = asked.flags.has('dry-run') ? null : await here.bus()
    await publishAll(bus, tenant, entries, counts, here)
    const imported = Object.values(counts.kinds).reduce((sum, one) => sum + one, 0)
    if (asked.flags.has('json')) {
      const { mails, kinds, leftOut } = counts
      here.screen.out(JSON.stringify({ ok: true, dryRun: bus === null, imported, ...kinds, mails, skipped: leftOut.length, leftOut }))
      return EXIT.ok
    }
    for (const { file, because } of counts.leftOut) here.screen.note(`left out: ${printable(`${file}: ${because}`)}`)
    const { bounce, complaint, unsubscribe } = counts.kinds
    const told = [counted(bounce, 'bounce'), counted(complaint, 'complaint'), counted(unsubscribe, 'unsubscribe')].join(', ')
    const leftOut = counts.leftOut.length > 0 ? `, ${counted(counts.leftOut.length, 'mail')} left out` : ''
    const done = bus === null ? `would be published for ${tenant}` : `of feedback published for ${tenant}`
    here.screen.out(`${counted(imported, 'entry', 'entries')} ${done}${imported > 0 ? ` (${told})` : ''}${leftOut}`)
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

/** A maildir's `new` and `cur`, or any folder of mails; one mail at a time, so that it may be any number of them. */
async function* readFolder(folder: string, counts: Counts, { screen }: Here): AsyncGenerator<Feedback> {
  const files = await mailsOf(folder)
  let shownMs = 0
  for (const file of files) {
    const read = await readMail(join(folder, file), file)
    counts.mails++
    if (read.kind === 'feedback') yield* read.entries
    else counts.leftOut.push({ file, because: read.because })
    if (performance.now() - shownMs < SHOW_EVERY_MS) continue
    shownMs = performance.now()
    screen.live([`  reading ${folder}: ${percent(counts.mails, files.length)} of ${counted(files.length, 'mail')}`])
  }
  screen.endLive()
}

async function readMail(path: string, file: string): Promise<ReadMail> {
  let mail: Uint8Array
  try {
    mail = await readFile(path)
  } catch (error) {
    return { kind: 'nothing', because: `cannot be read: ${reason(error)}` }
  }
  return readReturnedMail(mail, file)
}

async function mailsOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { withFileTypes: true })
  const parts = names.filter((one) => one.isDirectory() && (one.name === 'new' || one.name === 'cur')).map(({ name }) => name)
  if (parts.length === 0) return names.filter((one) => one.isFile() && !one.name.startsWith('.')).map(({ name }) => name)
  return (await Promise.all(parts.map(async (part) => (await readdir(join(folder, part))).map((name) => join(part, name))))).flat()
}

/** `bus` null: only counted. */
async function publishAll(
  bus: Bus | null,
  tenant: string,
  entries: AsyncIterable<Feedback> | Iterable<Feedback>,
  { kinds }: Counts,
  { stopping }: Here,
): Promise<void> {
  const on = subject('feedback', { tenant })
  const underWay: Promise<void>[] = []
  const publish = async (entry: Feedback): Promise<void> => {
    const stored = await bus?.store(on, encodeJson(entry), { msgId: `${tenant}/${entry.id}` })
    if (stored?.kind === 'refused')
      throw new Failure('failed', `NATS refused feedback ${entry.id}: ${stored.message} (${stored.code}); import it again, what was taken counts once`)
  }
  try {
    for await (const entry of entries) {
      stopping.throwIfAborted()
      kinds[entry.kind]++
      underWay.push(publish(entry))
      if (underWay.length >= UNDER_WAY) await underWay.shift()
    }
  } finally {
    await Promise.all(underWay)
  }
}
