import type { SenderRest } from '../../protocol/messages/permission.ts'
import type { Log } from '../runtime/log.ts'
import type { AftermathTools } from './aftermath.ts'
import type { AheadMemory } from './ahead.ts'
import type { Contents } from './contents.ts'
import type { Judge } from './policy/judging.ts'
import type { NetworkRules } from './policy/route.ts'
import type { SessionLengths } from './policy/session-lengths.ts'
import type { Routes } from './routes.ts'
import type { Door } from './session-door.ts'

/** What all session workers of a process share. */
export interface WorkerTools extends AftermathTools {
  readonly routes: Routes
  readonly network: () => NetworkRules
  readonly contents: Contents
  readonly ahead: AheadMemory
  readonly lengths: SessionLengths
  readonly judge: Judge
  readonly restSender: (site: string, rest: SenderRest) => void
  readonly door: Door
  readonly mono: () => number
  readonly wall: () => number
  /** the router should hear of this lease at once */
  readonly reportNow: () => void
  readonly log: Log
}
