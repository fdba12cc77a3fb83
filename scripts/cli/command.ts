import type { Bus } from '../../services/runtime/bus.ts'
import type { EpochMs } from '../../protocol/words.ts'
import type { ExitCode } from './failure.ts'
import type { OptionName } from './options.ts'
import type { Screen } from './screen.ts'

/** One command of `hato`: what it takes, what help says of it, and what it does. */
export interface Command {
  /** as it is typed: `ip quarantine` */
  readonly name: string
  readonly positionals: readonly Positional[]
  /** besides --nats and --help */
  readonly options: readonly OptionName[]
  /** one line, no full stop */
  readonly says: string
  /** paragraphs below it in `hato help COMMAND` */
  readonly more?: string
  readonly examples: readonly string[]
  /** Throws Failure when it could not be done. */
  run(asked: Asked, here: Here): Promise<ExitCode>
}

export interface Positional {
  readonly name: string
  readonly optional?: true
  /** takes all that follow */
  readonly many?: true
}

/** The command line as it was understood. */
export interface Asked {
  readonly positionals: readonly string[]
  readonly flags: ReadonlySet<OptionName>
  readonly values: ReadonlyMap<OptionName, string>
}

/** What surrounds a command. */
export interface Here {
  readonly screen: Screen
  readonly env: Readonly<Record<string, string | undefined>>
  /** aborted by Ctrl-C */
  readonly stopping: AbortSignal
  now(): EpochMs
  /** connected at the first call; Failure 'unavailable' when there is no NATS */
  bus(): Promise<Bus>
  /** where NATS is, as far as it is known before anybody connects */
  natsUrl(): Promise<string>
}
