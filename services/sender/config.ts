import type { ConfigTable } from '../runtime/config.ts'

export const SENDER_CONFIG = {
  sessionsMax: {
    env: 'HATO_SESSIONS',
    unit: 'count',
    default: 1_000,
    min: 1,
    max: 20_000,
    why: 'SMTP sessions this process may hold open; each costs a socket and some 20 KB',
  },
  reportEveryMs: {
    env: 'HATO_REPORT_EVERY',
    unit: 'duration',
    default: 250,
    min: 50,
    max: 1_000,
    why: 'how often a router hears of its leases; a lease lives 4 s',
  },
  signOn: {
    env: 'HATO_SIGN_ON',
    unit: 'choice',
    of: ['pool', 'loop'],
    default: 'pool',
    why: 'where RSA signatures are made: libuv’s pool uses cores that stand idle, the event loop (a few ms at a time) saves the hand-over where there is a sender per core, as npm start says by itself',
  },
} as const satisfies ConfigTable
