import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nearest } from '../../../services/runtime/nearest.ts'
import type { Command } from '../command.ts'
import { findNats } from '../connect.ts'
import { Failure } from '../failure.ts'

const ROLES = ['scheduler', 'domain-router', 'ip-manager', 'sender'] as const

export const runCommand: Command = {
  name: 'run',
  positionals: [{ name: 'ROLE' }],
  options: [],
  says: `runs one actor in this process: ${ROLES.join(', ')}`,
  more: 'It is configured by HATO_* variables (services/ROLE/README.md) and logs JSON lines to stdout. SIGTERM or Ctrl-C ends it in order.',
  examples: ['HATO_NATS_URL=nats://nats:4222 hato run sender'],
  async run(asked, { env }) {
    const role = asked.positionals[0] as string
    if (!(ROLES as readonly string[]).includes(role)) {
      const meant = nearest(role, ROLES)
      throw new Failure('usage', `"${role}" is not a role; ${meant === null ? `there are ${ROLES.join(', ')}` : `did you mean ${meant}?`}`)
    }
    const { url, credentials } = await findNats(asked.values.get('nats'), env, role)
    process.env.HATO_NATS_URL = url
    if (credentials !== null && !env.HATO_NATS_USER) {
      process.env.HATO_NATS_USER = credentials.user
      process.env.HATO_NATS_PASS = credentials.pass
    }
    // Meant for this command and for npm start; the actor would refuse what is not its own.
    for (const name of ['HATO_DATA', 'HATO_FLEET', 'HATO_NATS_PORT', 'HATO_SENDERS']) delete process.env[name]
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(name) // the actor hears them itself
    await import(pathToFileURL(join(import.meta.dirname, '../../../services', role, 'main.ts')).href)
    return new Promise<never>(() => {}) // the actor ends the process
  },
}
