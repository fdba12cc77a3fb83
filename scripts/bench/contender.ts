import type { Cell, Pace } from './cells.ts'

/** Where all mails go: the same sink for everybody. */
export interface Target {
  readonly host: string
  readonly port: number
  /** mails the sink has answered with 250 */
  counted(): Promise<number>
}

export interface Surroundings {
  readonly target: Target
  readonly pace: Pace
  readonly say: (line: string) => void
  /** aborted when a person wants to stop */
  readonly signal: AbortSignal
}

export interface Sent {
  /** by performance.now(): the moment before the first mail is handed over */
  readonly beganMs: number
  /** its own word that all is done; null where it has none, or none but the sink's replies */
  readonly finishedMs: number | null
}

/** Started and warm; `send` may be called again and again, one at a time. */
export interface Running extends AsyncDisposable {
  /** resolves when it says that all is done, or, where it has no such word, when all is handed over */
  send(cell: Cell, mails: number): Promise<Sent>
}

export interface Contender {
  /** the word of --only */
  readonly name: string
  readonly title: string
  readonly version: string
  readonly settings: string
  /** what survives a crash of the machine */
  readonly durability: string
  /** mails of 10 KB a second, about: how many a run of so many seconds has (cells.ts, `mailsOf`) */
  readonly perSecond: number
  measures(cell: Cell): boolean
  start(surroundings: Surroundings): Promise<Running>
}

/** Why a peer is not in the table. */
export interface Absent {
  readonly name: string
  readonly title: string
  readonly because: string
}
