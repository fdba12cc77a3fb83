import { hostname } from 'node:os'

/**
 * Turns that come round, each at whole multiples of its period, so that those of one moment are one wake-up: an idle process costs what it is woken for, hardly
 * what it then does. All processes of a machine have the same moments, or their server would be woken by each in turn; machines have moments of their own, or
 * it would hear from all of them in one. The first turn comes sooner than a period.
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

/** The next moment of that period on this process's monotonic clock; one that is as good as now is over. */
export function nextBeat(nowMs: number, periodMs: number, phaseMs = PHASE_MS): number {
  return (Math.floor((nowMs + phaseMs + SLACK_MS) / periodMs) + 1) * periodMs - phaseMs
}

/** Timers are set in whole milliseconds, and fire up to one too early. */
const SLACK_MS = 2

/** From the machine's clock and name. NOTE: read once; where that clock is set anew the moments of its processes come apart, which costs some wake-ups. */
const PHASE_MS = performance.timeOrigin + [...hostname()].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 60_000, 0)

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
