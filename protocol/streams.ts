import { listenerForm, type Role, SUBJECTS } from './subjects.ts'

/** A stream as the server keeps it; the reasons stand beside the numbers. Durations in milliseconds, sizes in bytes, 0 = no limit. */
export interface StreamSpec {
  readonly name: StreamName
  readonly subjects: readonly string[]
  readonly retention: 'limits' | 'workqueue'
  readonly discard: 'old' | 'new'
  readonly maxAgeMs: number
  readonly maxBytes: number
  readonly duplicateWindowMs: number
  readonly atomic: boolean
  readonly schedules: boolean
  readonly rollup: boolean
  readonly ttl: boolean
  readonly direct: boolean
  /** who takes messages out by hand; a work queue's acks are not meant */
  readonly removes: readonly Role[]
  readonly why: string
}
export type StreamName = 'JOBS' | 'MAIL' | 'OUTCOMES' | 'EVENTS' | 'FEEDBACK' | 'SUPPRESSION'

/** For readers and writers that name a stream. */
export const STREAM = {
  jobs: 'JOBS',
  mail: 'MAIL',
  outcomes: 'OUTCOMES',
  events: 'EVENTS',
  feedback: 'FEEDBACK',
  suppression: 'SUPPRESSION',
} as const satisfies Record<string, StreamName>

const DAY_MS = 86_400_000

export const STREAMS = [
  {
    name: 'JOBS',
    subjects: subjectsOf('JOBS'),
    retention: 'limits', // a job stays until its list has been read to the end: inline recipients are read from here
    discard: 'new', // a full store refuses at the publisher instead of losing what was accepted
    maxAgeMs: 0,
    maxBytes: 0, // a size would be reserved from the store at once, and refused on a small disk; intake stops at 70 % of the store instead
    duplicateWindowMs: 100, // ids make jobs idempotent; a longer window would hide "same id, other content"
    atomic: false,
    schedules: false,
    rollup: false,
    ttl: false,
    direct: true,
    removes: ['scheduler'], // a job that was refused or read to its end
    why: 'campaigns as they were published',
  },
  {
    name: 'MAIL',
    subjects: ['list.>', 'cursor.>', 'mail.>', 'due.>', 'later.>'],
    retention: 'workqueue',
    discard: 'old', // with schedules a full work queue drops accepted messages (tried): so no limit here, JOBS and expansion stop first
    maxAgeMs: 0,
    maxBytes: 0,
    duplicateWindowMs: 100,
    atomic: true,
    schedules: true,
    rollup: true,
    ttl: false,
    direct: true,
    removes: ['scheduler', 'sender'], // batches that are done, cursors of campaigns that have ended
    why: 'batches, cursors, orders and what waits',
  },
  {
    name: 'OUTCOMES',
    subjects: ['outcome.>', 'claim.>'],
    retention: 'limits',
    discard: 'old',
    maxAgeMs: 3 * DAY_MS, // 310 B of server memory per batch subject
    maxBytes: 0,
    duplicateWindowMs: 100,
    atomic: true,
    schedules: false,
    rollup: true,
    ttl: false,
    direct: true,
    removes: [],
    why: 'the journal: claims and outcomes in one order',
  },
  {
    name: 'EVENTS',
    subjects: subjectsOf('EVENTS'),
    retention: 'limits',
    discard: 'old',
    maxAgeMs: 30 * DAY_MS,
    maxBytes: 0,
    duplicateWindowMs: 120_000,
    atomic: false,
    schedules: false,
    rollup: false,
    ttl: false,
    direct: true,
    removes: [],
    why: 'what people and programs watch',
  },
  {
    name: 'FEEDBACK',
    subjects: subjectsOf('FEEDBACK'),
    retention: 'limits',
    discard: 'old',
    maxAgeMs: 30 * DAY_MS,
    maxBytes: 0,
    duplicateWindowMs: 120_000,
    atomic: false,
    schedules: false,
    rollup: false,
    ttl: false,
    direct: true,
    removes: [],
    why: 'bounces, complaints and unsubscribes that came back',
  },
  {
    name: 'SUPPRESSION',
    subjects: subjectsOf('SUPPRESSION'),
    retention: 'limits',
    discard: 'new',
    maxAgeMs: 0,
    maxBytes: 0,
    duplicateWindowMs: 100,
    atomic: false,
    schedules: false,
    rollup: false,
    ttl: false,
    direct: true,
    removes: ['scheduler'], // held verdicts that were decided
    why: 'suppression entries, at most 500 a message',
  },
] as const satisfies readonly StreamSpec[]

/** The subjects of a stream, from the table: `{x}` → `*`. */
function subjectsOf(stream: StreamName): string[] {
  return Object.values(SUBJECTS)
    .filter((row) => 'stream' in row && row.stream === stream)
    .map((row) => listenerForm(row.on))
}

/** An order that nobody acks or says +WPI for comes again after so long. Whoever holds it, router or sender, says +WPI at a third of it (design §6). */
export const ORDER_ACK_WAIT_MS = { urgent: 4_000, bulk: 15_000 } as const
/** How often that is. NOTE: a sign of life makes the server write and sync the consumer's whole state anew: sooner than needed costs more than the mail does. */
export const WORKING_EVERY_MS = { urgent: ORDER_ACK_WAIT_MS.urgent / 3, bulk: ORDER_ACK_WAIT_MS.bulk / 3 } as const

/** Consumer names, one place so that a takeover finds its predecessor's. */
export const CONSUMERS = {
  jobs: 'scheduler-jobs',
  due: (lane: string) => `scheduler-due-${lane}`,
  orders: (shard: string, lane: string) => `router-${shard}-${lane}`,
  /** on EVENTS and OUTCOMES, made for each tenant: where its programs read on */
  publisher: (tenant: string) => `publisher-${tenant}`,
} as const
