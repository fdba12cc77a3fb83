/** The arithmetic of a comparison. Pure. */
import { type Cell, cellName } from './cells.ts'

export interface Times {
  /** from the first mail handed over to the sink's last 250 */
  readonly lastReplyMs: number
  /** until the contender itself says that all is done; null where it has no such word */
  readonly finishedMs: number | null
}

/** One run of one contender. */
export interface Figure extends Times {
  readonly contender: string
  readonly cell: Cell
  readonly round: number
  readonly mails: number
}

export interface Row {
  readonly contender: string
  readonly cell: Cell
  readonly mails: number
  /** mails a second until the sink's last 250, of each round */
  readonly rates: readonly number[]
  readonly median: number
  /** the same until the contender's own "finished"; null where it has no such word */
  readonly toFinished: number | null
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no value has no median')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

export const rate = (mails: number, ms: number): number => (mails * 1_000) / ms

/** A row per contender and cell, in the order in which they first appear. */
export function rowsOf(figures: readonly Figure[]): Row[] {
  const groups = Map.groupBy(figures, ({ contender, cell }) => `${contender}\0${cellName(cell)}`)
  return [...groups.values()].map((runs) => {
    const { contender, cell, mails } = runs[0] as Figure
    const rates = runs.map((run) => rate(run.mails, run.lastReplyMs))
    const finished = runs.flatMap((run) => (run.finishedMs === null ? [] : [rate(run.mails, run.finishedMs)]))
    return { contender, cell, mails, rates, median: median(rates), toFinished: finished.length === 0 ? null : median(finished) }
  })
}

/** What counts in a comparison: the slower of the two, so that nobody gains by finishing later than the last reply. */
export const endToEnd = ({ median: toReply, toFinished }: Row): number => Math.min(toReply, toFinished ?? toReply)

/** `4.2×`, `0.31×` */
export function ratio(of: number, to: number): string {
  const value = of / to
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : Math.round(value)}×`
}

/** Half the distance between the best and the worst round, of the median: `±4 %`. */
export function spread(rates: readonly number[]): string {
  return `±${Math.round(((Math.max(...rates) - Math.min(...rates)) / 2 / median(rates)) * 100)} %`
}
