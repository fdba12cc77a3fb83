/** Everybody by turns: a round is each contender once through its cells, so that what the machine does meanwhile hits all alike. */
import { setTimeout as pause } from 'node:timers/promises'
import { number } from '../demo/table.ts'
import { type Cell, cellName, cellsOf, COMMON, mailsOf, ROUNDS, SECONDS } from './cells.ts'
import type { Absent, Contender, Running, Surroundings } from './contender.ts'
import { type Figure, type Times, rate } from './figures.ts'

/** how exactly the last 250 is timed: a few thousandths of a run */
const LOOK_EVERY_MS = 20
/** no mail reached the sink for so long: it is stuck */
const STUCK_MS = 30_000

export interface Compared {
  readonly figures: readonly Figure[]
  /** those that failed on the way; none of their figures count */
  readonly failed: readonly Absent[]
}

export async function compare(contenders: readonly Contender[], surroundings: Surroundings): Promise<Compared> {
  const figures: Figure[] = []
  const failed = new Map<Contender, string>()
  for (let round = 1; round <= ROUNDS; round++) {
    for (const contender of contenders) {
      if (failed.has(contender)) continue
      try {
        for await (const figure of turn(contender, round, surroundings)) figures.push(figure)
      } catch (error) {
        surroundings.signal.throwIfAborted()
        failed.set(contender, error instanceof Error ? error.message : String(error))
        surroundings.say(`${contender.title} is left out from here on: ${failed.get(contender)}`)
      }
    }
  }
  const names = new Set([...failed.keys()].map(({ name }) => name))
  return {
    figures: figures.filter(({ contender }) => !names.has(contender)),
    failed: [...failed].map(([{ name, title }, because]) => ({ name, title, because: `it failed: ${because}` })),
  }
}

/** One contender once through its cells. */
async function* turn(contender: Contender, round: number, surroundings: Surroundings): AsyncGenerator<Figure> {
  surroundings.signal.throwIfAborted()
  const cells = cellsOf(surroundings.pace).filter((cell) => contender.measures(cell))
  const seconds = SECONDS[surroundings.pace]
  await using running = await contender.start(surroundings)
  const send = (cell: Cell, mails: number) => measure(contender, running, cell, mails, surroundings)
  await send(COMMON, mailsOf(contender.perSecond, COMMON, seconds.start))
  for (const cell of cells) {
    await send(cell, mailsOf(contender.perSecond, cell, seconds.cell))
    const mails = mailsOf(contender.perSecond, cell, seconds.run)
    const times = await send(cell, mails)
    const perSecond = number(Math.round(rate(mails, times.lastReplyMs)))
    surroundings.say(`round ${round} of ${ROUNDS}  ${contender.title}, ${cellName(cell)}: ${number(mails)} mails, ${perSecond}/s`)
    yield { contender: contender.name, cell, round, mails, ...times }
  }
}

async function measure(contender: Contender, running: Running, cell: Cell, mails: number, { target, signal }: Surroundings): Promise<Times> {
  const goal = (await target.counted()) + mails
  const stop = new AbortController()
  const watching = lastReply(contender, goal, target.counted, AbortSignal.any([signal, stop.signal]))
  try {
    const [{ beganMs, finishedMs }, lastMs] = await Promise.all([running.send(cell, mails), watching])
    const counted = await target.counted()
    if (counted !== goal) throw new Error(`${contender.title} brought ${counted - goal} mails too many to the sink`)
    return { lastReplyMs: lastMs - beganMs, finishedMs: finishedMs === null ? null : finishedMs - beganMs }
  } finally {
    stop.abort(new Error('the other half failed'))
  }
}

async function lastReply({ title }: Contender, goal: number, counted: () => Promise<number>, signal: AbortSignal): Promise<number> {
  let before = -1
  let movedMs = performance.now()
  for (;;) {
    const now = await counted()
    if (now >= goal) return performance.now()
    if (now !== before) [before, movedMs] = [now, performance.now()]
    if (performance.now() - movedMs > STUCK_MS)
      throw new Error(`${title} is stuck: ${goal - now} mails are missing at the sink, none came for ${STUCK_MS / 1_000} s`)
    await pause(LOOK_EVERY_MS, undefined, { signal }) // the sink tells nobody; its counters are read
  }
}
