import { runActor } from '../runtime/lifecycle.ts'
import { startScheduler } from './actor.ts'
import { SCHEDULER_CONFIG } from './config.ts'

await runActor({ role: 'scheduler', config: SCHEDULER_CONFIG, env: process.env }, startScheduler)
