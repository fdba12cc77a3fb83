import { runActor } from '../runtime/lifecycle.ts'
import { startSender } from './actor.ts'
import { SENDER_CONFIG } from './config.ts'

await runActor({ role: 'sender', config: SENDER_CONFIG, env: process.env }, startSender)
