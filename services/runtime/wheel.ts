/**
 * Turns that come round, each at whole multiples of its period on this process's clock, so that those of one moment are one wake-up: an idle process costs
 * what it is woken for, hardly what it then does. The first turn comes sooner than a period.
 */
export function every(periodMs: number, turn: () => void): Disposable {
  const round: Round = { periodMs, turn, dueMs: nextBeat(performance.now(), periodMs) }
  rounds.add(round)
  if (round.dueMs < armedForMs) arm()
  return {
    [Symbol.dispose]() {
      rounds.delete(round)
      if (rounds.size === 0) arm()
    },
  }
}

/** The next whole multiple; one that is as good as now is over. */
export function nextBeat(nowMs: number, periodMs: number): number {
  return (Math.floor((nowMs + SLACK_MS) / periodMs) + 1) * periodMs
}

/** Timers are set in whole milliseconds, and fire up to one too early. */
const SLACK_MS = 2

interface Round {
  readonly periodMs: number
  readonly turn: () => void
  dueMs: number
}

const rounds = new Set<Round>()
let timer: NodeJS.Timeout | undefined
let armedForMs = Number.POSITIVE_INFINITY

function arm(): void {
  clearTimeout(timer)
  armedForMs = Number.POSITIVE_INFINITY
  for (const { dueMs } of rounds) armedForMs = Math.min(armedForMs, dueMs)
  if (armedForMs !== Number.POSITIVE_INFINITY) timer = setTimeout(beat, Math.max(1, armedForMs - performance.now()))
}

function beat(): void {
  const now = performance.now()
  const due = [...rounds].filter(({ dueMs }) => dueMs <= now + SLACK_MS)
  for (const round of due) round.dueMs = nextBeat(now, round.periodMs)
  arm() // first: a turn that throws ends nobody else's
  for (const round of due) if (rounds.has(round)) round.turn()
}
