import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchArgs, ContenderName } from './args.ts'
import { compare } from './compare.ts'
import type { Absent, Contender, Surroundings } from './contender.ts'
import { bareSocket } from './contenders/bare-socket.ts'
import { haraka } from './contenders/haraka.ts'
import { hato } from './contenders/hato.ts'
import { nodemailer } from './contenders/nodemailer.ts'
import { postfix } from './contenders/postfix.ts'
import { rowsOf } from './figures.ts'
import { machine, signaturesPerSecond } from './machine.ts'
import { withComparison, withProfile, withTrials } from './page.ts'
import { profile } from './profile/run.ts'
import { profileLines } from './profile/report.ts'
import { markdown, type Report, terminalLines } from './report.ts'
import { startSink } from './sink.ts'
import { runTrials, trialsMarkdown } from './trials/run.ts'

const PAGE = fileURLToPath(new URL('../../BENCHMARKS.md', import.meta.url))

export interface Screen {
  readonly say: (line: string) => void
  readonly bold: (text: string) => string
  readonly signal: AbortSignal
}

/** Resolves with the exit code. */
export async function runBench(args: BenchArgs, { say, bold, signal }: Screen): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'hato-bench-'))
  await chmod(dir, 0o755) // as root, smtp-sink becomes somebody else
  await using after = new AsyncDisposableStack()
  after.defer(() => rm(dir, { recursive: true, force: true }))
  if (args.mode === 'trials') {
    const results = await runTrials(args, dir, { say, signal })
    if (args.trials.length === 0) await rewrite((page) => withTrials(page, trialsMarkdown(results, commandOf(args), today())), say)
    if (args.output === 'json') process.stdout.write(`${JSON.stringify(results)}\n`)
    return results.every(({ failed }) => failed === null) ? 0 : 1
  }
  const target = after.use(await startSink(dir))
  const surroundings: Surroundings = { target, pace: args.pace, say, signal }
  if (args.mode === 'profile') {
    const found = await profile(surroundings, join(dir, 'profiles'))
    for (const line of profileLines(found, bold)) say(line)
    await rewrite(
      (page) =>
        withProfile(
          page,
          commandOf(args),
          today(),
          profileLines(found, (text) => text),
        ),
      say,
    )
    if (args.output === 'json') process.stdout.write(`${JSON.stringify(found)}\n`)
    return 0
  }
  const report = await measured(args, surroundings)
  for (const line of terminalLines(report, bold)) say(line)
  if (args.only.length === 0) {
    await rewrite((page) => withComparison(page, markdown(report)), say)
  }
  if (args.output === 'json') process.stdout.write(`${JSON.stringify(report)}\n`)
  return report.failed.length === 0 ? 0 : 1
}

async function rewrite(change: (page: string) => string, say: (line: string) => void): Promise<void> {
  const page = await readFile(PAGE, 'utf8').catch(() => '') // the first run
  await writeFile(PAGE, change(page))
  say('')
  say('written to BENCHMARKS.md')
}

const today = () => new Date().toISOString().slice(0, 10)

function commandOf({ pace, mode }: BenchArgs): string {
  const flags = [...(pace === 'quick' ? ['--quick'] : []), ...(mode === 'profile' ? ['--profile'] : mode === 'trials' ? ['--trials'] : [])]
  return ['npm run bench', ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ')
}

async function measured(args: BenchArgs, surroundings: Surroundings): Promise<Report> {
  const { say, pace, signal } = surroundings
  const wanted = (name: ContenderName) => args.only.length === 0 || args.only.includes(name)
  const about = await machine()
  say(`${about.cores} cores of ${about.cpu}, load ${about.load.toFixed(2)}`)
  if (about.load > about.cores / 2) say('something else is busy on this machine: ratios will suffer less than rates')
  const all: Readonly<Record<ContenderName, () => Promise<Contender | Absent>>> = {
    hato: async () => hato,
    'bare-socket': async () => bareSocket,
    nodemailer: async () => nodemailer,
    postfix,
    haraka: () => haraka(surroundings),
  }
  const contenders: Contender[] = []
  const absent: Absent[] = []
  for (const [name, look] of Object.entries(all)) {
    if (!wanted(name as ContenderName)) continue
    const one = await look()
    if ('because' in one) absent.push(one)
    else contenders.push(one)
  }
  for (const { title, because } of absent) say(`without ${title}, since ${because}`)
  const signatures = args.only.length === 0 ? await signaturesPerSecond(pace === 'quick' ? 1 : 3, signal) : null
  const { figures, failed } = await compare(contenders, surroundings)
  return {
    machine: about,
    command: commandOf(args),
    pace,
    day: today(),
    rows: rowsOf(figures),
    contenders: contenders.filter(({ name }) => failed.every((one) => one.name !== name)),
    absent,
    failed,
    signatures,
  }
}
