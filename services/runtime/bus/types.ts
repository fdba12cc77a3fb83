import type { EpochMs } from '../../../protocol/words.ts'

/** Headers of a message; names as the server spells them (`Nats-Msg-Id`). */
export type Headers = Readonly<Record<string, string>>

/** What a request brought. A refusal by the answerer is its body's business, not this type's. */
export type Answer =
  | { readonly kind: 'answer'; readonly body: Uint8Array; readonly headers: Headers }
  | { readonly kind: 'nobody' } // the server knows no listener: nothing was heard
  | { readonly kind: 'timeout' } // no answer in time, or the connection was cut meanwhile: it may have been heard

export interface Heard {
  readonly subject: string
  readonly body: Uint8Array
  readonly headers: Headers
}

export interface Call extends Heard {
  /** At most one answer; further ones are not sent. */
  reply(body: Uint8Array, headers?: Headers): void
}

/** A message as its stream keeps it. */
export interface StoredMessage extends Heard {
  readonly seq: number
  /** when the stream took it, milliseconds since 1970 */
  readonly at: EpochMs
}

/** A message of a pull consumer: to be worked on and acked. */
export interface Delivery extends StoredMessage {
  /** to whom the ack goes; may travel to another process, which acks from its own connection */
  readonly ackSubject: string
  /** how often the server handed it out. NOTE: says nothing about poison, all rise together after a server's death (facts/tried.md) */
  readonly deliveries: number
}

/** The last sequence the writer knows: 0 = there must be none. */
export interface Expect {
  readonly seq: number
  /** another subject of the same stream whose last sequence is meant; default: the message's own subject */
  readonly on?: string
}

export interface StoreOptions {
  readonly expect?: Expect
  /** replaces what the subject held */
  readonly rollup?: boolean
  /** seconds the message lives; whole, ≥ 1 */
  readonly ttlS?: number
  readonly msgId?: string
  /** a schedule: at this moment the server publishes body and own headers to `target` (same stream); a second one on the subject replaces the first */
  readonly at?: EpochMs
  readonly target?: string
  readonly headers?: Headers
  /** default 5 s */
  readonly timeoutMs?: number
}

export interface Entry extends Omit<StoreOptions, 'msgId' | 'ttlS' | 'timeoutMs'> {
  readonly subject: string
  readonly body: Uint8Array
}

/** The server's own words; `code` is its err_code (errors.ts names those we act on). Nothing was stored. */
export interface Refused {
  readonly kind: 'refused'
  readonly code: number
  readonly message: string
}
export type Stored = { readonly kind: 'stored'; readonly seq: number } | Refused

export type StoredAll =
  | { readonly kind: 'stored'; readonly lastSeq: number; readonly batchId: string }
  | Refused // all or nothing: one refused message refuses the batch
  | { readonly kind: 'unknown'; readonly because: string; readonly batchId: string } // it may have been committed: re-read the cursor, never retry blindly

export interface ScanOptions {
  /** first sequence to look at; default 1 */
  readonly fromSeq?: number
}

export interface FollowOptions {
  readonly fromSeq?: number
  /** start at the newest message of each subject, then everything that follows (a bucket's watch) */
  readonly lastPerSubject?: boolean
  /** somebody asks `silentMs` and must know within seconds: heartbeats each second also from a single server */
  readonly attentive?: boolean
  /** bodies stay on the server */
  readonly headersOnly?: boolean
}

/** Every message from `fromSeq` on, in order, once, for ever; goes on at the right sequence after a reconnect. One reader. */
export interface Follow extends AsyncIterable<StoredMessage> {
  /** once everything that was there when it began has been *taken by the reader* */
  readonly caughtUp: Promise<void>
  /** the reader's last sequence */
  readonly lastSeq: number
  /** ms since the server was last heard on it (message or heartbeat: each second for who is attentive and where servers are several, else each thirty), by the monotonic clock; Infinity before the first */
  silentMs(): number
  close(): void
}

export interface PullSpec {
  readonly stream: string
  readonly durable: string
  readonly filter: string | readonly string[]
  readonly ackWaitMs: number
  readonly maxAckPending: number
  /** the server forgets the consumer after so long without us; absent = never */
  readonly inactiveMs?: number
  /**
   * Where the server keeps who was given what. On disk (absent) every delivery, ack and +WPI has it write and sync the consumer's whole state anew; in memory
   * a server that starts again knows none of it: all that was not acked comes once more, as if for the first time.
   */
  readonly state?: 'memory'
}

export interface Puller extends AsyncDisposable {
  /** From now on take at most `n` more messages (a level, not an addition: `want(0)` stops asking). What was already asked of the server may still come. */
  want(n: number): void
  /** messages the server holds for us beyond those handed out, as last heard */
  pending(): number
}

/** Something listened to; letting go of it stops the listening at once. */
export interface Listening extends Disposable {
  readonly subject: string
}

export interface Bus extends AsyncDisposable {
  readonly name: string
  readonly connected: boolean
  /** resolves when the connection is gone for good: with the reason, or null after our own close */
  readonly closed: Promise<Error | null>
  /** the calls come at each loss and regain of the connection */
  onConnection(tell: (connected: boolean) => void): Disposable

  // -- talking
  say(subject: string, body: Uint8Array, headers?: Headers): void
  ask(subject: string, body: Uint8Array, options: { readonly timeoutMs: number; readonly headers?: Headers }): Promise<Answer>
  /** every answer that comes within `timeoutMs`, or until `enough` of them are there */
  askAll(subject: string, body: Uint8Array, options: { readonly timeoutMs: number; readonly enough?: number }): Promise<Uint8Array[]>
  serve(subject: string, handler: (call: Call) => void | Promise<void>, options?: { readonly queue?: string }): Listening
  hear(subject: string, handler: (heard: Heard) => void, options?: { readonly queue?: string }): Listening
  /** totals of this connection since its start */
  stats(): { readonly inMsgs: number; readonly outMsgs: number; readonly inBytes: number; readonly outBytes: number }
  /** resolves when the server has read what was said before */
  flush(): Promise<void>

  // -- durable writing; throws Infrastructure (errors.ts) when it cannot be known whether the server stored it
  store(subject: string, body: Uint8Array, options?: StoreOptions): Promise<Stored>
  /** ≤ 1,000 entries of one stream (16,000 where the server is told to take them); keep to 200 or 4 MB where they must be quick. Sequences of one batch are contiguous, so an entry's own is lastSeq − (entries after it) */
  storeAll(entries: readonly Entry[]): Promise<StoredAll>

  // -- reading; repeated inside until the server answers (10 s), then Infrastructure
  readLast(stream: string, subject: string): Promise<StoredMessage | null>
  readSeq(stream: string, seq: number): Promise<StoredMessage | null>
  /** the first message of `subject` (wildcards allowed) after `afterSeq` */
  readNext(stream: string, subject: string, afterSeq: number): Promise<StoredMessage | null>
  /** from any replica, at the leader on a miss */
  fetchSeq(stream: string, seq: number): Promise<StoredMessage | null>
  /** all messages of `filter` up to what was the last when it began; ≤ 1 MB in memory */
  scan(stream: string, filter: string, options?: ScanOptions): AsyncIterable<StoredMessage>
  follow(stream: string, filters: readonly string[], options?: FollowOptions): Follow

  // -- work
  pull(spec: PullSpec, onMessage: (delivery: Delivery) => void): Promise<Puller>
  ack(ackSubject: string): void
  /** resolves when the server confirmed the ack; throws Infrastructure otherwise */
  ackSure(ackSubject: string): Promise<void>
  /** still at it: starts ack_wait anew (+WPI). NOTE: there is no NAK here, ever; delayed ones clog the window (design §6) */
  working(ackSubject: string): void

  // -- removing; true when there was something
  remove(stream: string, seq: number): Promise<boolean>
  /** all messages of `subject` (up to and with `upToSeq`); the number of them */
  purge(stream: string, subject: string, options?: { readonly upToSeq?: number }): Promise<number>
  dropConsumer(stream: string, durable: string): Promise<boolean>

  /** Create or update; safe to run at once from many processes. */
  ensureStreams(specs: readonly StreamSpec[], options?: EnsureOptions): Promise<void>
  ensureBuckets(specs: readonly BucketSpec[], options?: EnsureOptions): Promise<void>
  ensureObjectBucket(name: string, options?: EnsureOptions): Promise<void>
  hasStream(stream: string): Promise<boolean>
  streamState(stream: string): Promise<StreamState>
  /** bytes used and allowed of the account's file store; allowed 0 = no limit known */
  storeUse(): Promise<{ readonly usedBytes: number; readonly allowedBytes: number }>
  /** answers `$SRV.PING/INFO/STATS` for this actor */
  announce(service: { readonly name: string; readonly version: string; readonly description: string; readonly metadata?: Headers }): Promise<AsyncDisposable>
}

export interface EnsureOptions {
  /** 1, or 3 with three servers */
  readonly replicas?: number
}

export interface StreamState {
  readonly messages: number
  readonly bytes: number
  readonly firstSeq: number
  readonly lastSeq: number
}

/** The shapes of `protocol/streams` and `protocol/buckets`, with open names so that tests may bring their own. */
export interface StreamSpec {
  readonly name: string
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
}
export interface BucketSpec {
  readonly name: string
  readonly ttl: boolean
}
