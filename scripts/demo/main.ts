/**
 * `npm run demo`: a whole cluster against a simulated internet, every recipient accounted for at the far end.
 *
 * Exit codes: 0 all accounted for · 1 not · 2 unknown flags · 69, 78 as `npm start` · 130 Ctrl-C
 */
import { rm } from 'node:fs/promises'
import { BadConfig } from '../../services/runtime/errors.ts'
import { hearStopWish } from '../start/stop-wish.ts'
import { type DemoArgs, HELP, readArgs } from './args.ts'
import { openDisplay } from './display.ts'
import { runDemo } from './run.ts'
import { makeScratch } from './scratch.ts'

process.exit(await main())

async function main(): Promise<number> {
  const args = readOrTell()
  if (typeof args === 'number') return args
  using display = openDisplay(args.output === 'json' ? process.stderr : process.stdout)
  const wish = hearStopWish(() => display.say('stopping'))
  const dataDir = await makeScratch('hato-demo-')
  let keep: 'keep' | 'remove' = 'remove'
  try {
    const code = await runDemo(args, { dataDir, display, wish })
    if (code !== 0 && args.plant === null && !wish.signal.aborted) keep = 'keep'
    return code
  } catch (error) {
    if (wish.signal.aborted) return 130
    keep = 'keep'
    display.say(error instanceof BadConfig ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error))
    return error instanceof BadConfig ? 78 : 1
  } finally {
    if (keep === 'remove') await rm(dataDir, { recursive: true, force: true })
    else process.stderr.write(`logs and store are kept in ${dataDir}\n`)
  }
}

function readOrTell(): DemoArgs | number {
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
