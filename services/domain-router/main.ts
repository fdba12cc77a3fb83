import { runActor } from '../runtime/lifecycle.ts'
import { startRouter } from './actor.ts'
import { ROUTER_CONFIG } from './config.ts'

await runActor({ role: 'domain-router', config: ROUTER_CONFIG, env: process.env }, startRouter)
