import { runActor } from '../runtime/lifecycle.ts'
import { startIpManager } from './actor.ts'
import { IP_MANAGER_CONFIG } from './config.ts'

await runActor({ role: 'ip-manager', config: IP_MANAGER_CONFIG, env: process.env }, startIpManager)
