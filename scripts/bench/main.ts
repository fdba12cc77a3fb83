/**
 * `npm run bench`: Hato and its peers, the same mails, the same sink, by turns.
 *
 * Exit codes: 0 measured · 1 something failed · 2 unknown flags · 130 Ctrl-C
 */
import { hearStopWish } from '../start/stop-wish.ts'
import { COLOURS, PLAIN } from '../demo/screen.ts'
import { type BenchArgs, HELP, readArgs } from './args.ts'
import { runBench } from './run.ts'

process.exit(await main())

async function main(): Promise<number> {
  const args = readOrTell()
  if (typeof args === 'number') return args
  const out = args.output === 'json' ? process.stderr : process.stdout
  const say = (line: string) => void out.write(`${line}\n`)
  const wish = hearStopWish(say)
  const { bold } = out.isTTY && !process.env.NO_COLOR ? COLOURS : PLAIN
  try {
    return await runBench(args, { say, bold, signal: wish.signal })
  } catch (error) {
    if (wish.signal.aborted) return 130
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 1
  }
}

function readOrTell(): BenchArgs | number {
  try {
    const args = readArgs(process.argv.slice(2))
    if (args !== null) return args
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    return 2
  }
}
