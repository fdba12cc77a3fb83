/** Forks the actor of actor-process.ts, tells its pid, and waits to be killed. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const child = fork(fileURLToPath(new URL('./actor-process.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true })
child.on('message', (message) => process.stdout.write(`${JSON.stringify({ pid: child.pid, message })}\n`))
