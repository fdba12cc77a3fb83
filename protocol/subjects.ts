/**
 * THE table: every subject of Hato, who says it, who hears it, and how. The speaker's form, the listener's wildcard, the streams' subjects,
 * the server's permissions and the page in ARCHITECTURE derive from these rows, so they cannot disagree.
 *
 * `{name}` is one token; `{name>}` ends a request subject and stands there literally (an address or site with its dots, design §4 "Forms").
 */
export type ActorRole = 'scheduler' | 'domain-router' | 'ip-manager' | 'sender'
export type Role = ActorRole | 'publisher' | 'ops'

export interface SubjectRow {
  readonly on: string
  readonly how: 'jetstream' | 'request' | 'core'
  readonly stream?: 'JOBS' | 'MAIL' | 'OUTCOMES' | 'EVENTS' | 'FEEDBACK' | 'SUPPRESSION'
  readonly says: readonly Role[]
  readonly hears: readonly Role[]
  readonly public?: true
  readonly what: string
}

export const SUBJECTS = {
  // -- the public contract (design §4)
  campaignJob: {
    on: 'campaign.jobs.{tenant}',
    how: 'jetstream',
    stream: 'JOBS',
    says: ['publisher', 'ops'],
    hears: ['scheduler'],
    public: true,
    what: 'a campaign to send',
  },
  campaignEvent: {
    on: 'campaign.events.{tenant}.{id}',
    how: 'jetstream',
    stream: 'EVENTS',
    says: ['scheduler'],
    hears: ['publisher', 'ops'],
    public: true,
    what: 'accepted, rejected, progress, finished …',
  },
  campaignStatus: {
    on: 'campaign.status.{tenant}.{id}',
    how: 'request',
    says: ['publisher', 'ops'],
    hears: ['scheduler'],
    public: true,
    what: 'counts and what it waits for',
  },
  campaignControl: {
    on: 'campaign.control.{tenant}.{id}',
    how: 'request',
    says: ['publisher', 'ops'],
    hears: ['scheduler'],
    public: true,
    what: 'pause, resume, cancel',
  },
  ipReputation: { on: 'ip.reputation', how: 'request', says: ['ops'], hears: ['ip-manager'], public: true, what: 'every IP: modes, scores, counts' },
  ipReputationOf: { on: 'ip.reputation.{address>}', how: 'request', says: ['ops'], hears: ['ip-manager'], public: true, what: 'one IP' },
  ipControl: { on: 'ip.control.{address>}', how: 'request', says: ['ops'], hears: ['ip-manager'], public: true, what: 'quarantine, release, drain' },
  ipEvent: {
    on: 'ip.events.{address}',
    how: 'jetstream',
    stream: 'EVENTS',
    says: ['ip-manager'],
    hears: ['ops'],
    public: true,
    what: 'every mode change with its reason',
  },
  ispStatus: { on: 'isp.status', how: 'request', says: ['ops'], hears: ['domain-router'], public: true, what: 'every site that has mail or memory' },
  ispStatusOf: { on: 'isp.status.{site>}', how: 'request', says: ['ops'], hears: ['domain-router'], public: true, what: 'one site' },
  ispControl: { on: 'isp.control.{site>}', how: 'request', says: ['ops'], hears: ['domain-router'], public: true, what: 'pause, resume, limit, clear' },
  outcome: {
    on: 'outcome.{tenant}.{campaign}.{batch}',
    how: 'jetstream',
    stream: 'OUTCOMES',
    says: ['sender', 'scheduler'],
    hears: ['scheduler', 'ip-manager', 'publisher', 'ops'],
    public: true,
    what: 'what happened to recipients',
  },
  feedback: {
    on: 'feedback.{tenant}',
    how: 'jetstream',
    stream: 'FEEDBACK',
    says: ['publisher', 'ops'],
    hears: ['scheduler'],
    public: true,
    what: 'what came back after the 250',
  },
  suppression: {
    on: 'suppression.{tenant}',
    how: 'request',
    says: ['publisher', 'ops'],
    hears: ['scheduler'],
    public: true,
    what: 'add, remove, list, import, export',
  },
  fleetApply: { on: 'fleet.apply', how: 'request', says: ['ops'], hears: ['ip-manager'], public: true, what: 'a fleet document' },
  fleetGet: { on: 'fleet.get', how: 'request', says: ['ops'], hears: ['ip-manager'], public: true, what: 'the fleet document in force' },

  // -- between our actors: the mail
  batch: {
    on: 'list.{tenant}.{campaign}.{site}',
    how: 'jetstream',
    stream: 'MAIL',
    says: ['scheduler'],
    hears: ['sender', 'scheduler'],
    what: 'at most 100 recipients of one campaign and site, written once',
  },
  expansionCursor: {
    on: 'cursor.{tenant}.{campaign}',
    how: 'jetstream',
    stream: 'MAIL',
    says: ['scheduler'],
    hears: ['scheduler'],
    what: 'how far the list has been read',
  },
  releaseCursor: {
    on: 'cursor.{tenant}.{campaign}.{site}',
    how: 'jetstream',
    stream: 'MAIL',
    says: ['scheduler'],
    hears: ['scheduler'],
    what: 'the last batch released to the router',
  },
  order: { on: 'mail.{shard}.{lane}', how: 'jetstream', stream: 'MAIL', says: ['scheduler'], hears: ['domain-router'], what: 'work on a batch' },
  due: {
    on: 'due.{lane}',
    how: 'jetstream',
    stream: 'MAIL',
    says: ['sender', 'domain-router', 'scheduler'],
    hears: ['scheduler'],
    what: 'an order whose waiting is over',
  },
  laterRetry: {
    on: 'later.{tenant}.{campaign}.{batch}',
    how: 'jetstream',
    stream: 'MAIL',
    says: ['sender', 'scheduler'],
    hears: [],
    what: "a batch's one retry order, on the server's schedule",
  },
  laterRest: {
    on: 'later.rest.{shard}.{site}.{order}',
    how: 'jetstream',
    stream: 'MAIL',
    says: ['domain-router'],
    hears: [],
    what: 'an order whose site rests, on the schedule',
  },
  claim: {
    on: 'claim.{tenant}.{campaign}.{batch}',
    how: 'jetstream',
    stream: 'OUTCOMES',
    says: ['sender', 'scheduler'],
    hears: ['sender', 'scheduler'],
    what: 'who works on a batch; its sequence fences the outcomes',
  },

  // -- between our actors: permission
  senderHere: { on: 'senders.here', how: 'core', says: ['sender'], hears: ['domain-router'], what: 'a sender is alive, with its tick, room and IPs' },
  grant: { on: 'sender.{sender}.grant', how: 'request', says: ['domain-router'], hears: ['sender'], what: 'a lease and orders to work on under it' },
  holdings: {
    on: 'sender.{sender}.holdings',
    how: 'request',
    says: ['domain-router'],
    hears: ['sender'],
    what: 'a new owner asks what the sender holds of its shard',
  },
  report: { on: 'router.{shard}.report', how: 'request', says: ['sender'], hears: ['domain-router'], what: 'what the sender did; answered by renewals' },
  reports: {
    on: 'router.{router}.reports',
    how: 'request',
    says: ['sender'],
    hears: ['domain-router'],
    what: 'reports to several shards of one router process, in one message',
  },
  drain: { on: 'router.{shard}.drain', how: 'core', says: ['domain-router'], hears: ['scheduler'], what: 'how much each site holds and drains' },
  siteStatus: {
    on: 'router.{shard}.status',
    how: 'request',
    says: ['domain-router'],
    hears: ['domain-router'],
    what: 'the part of isp.status that this shard knows',
  },
  siteControl: { on: 'router.{shard}.control', how: 'request', says: ['domain-router'], hears: ['domain-router'], what: 'isp.control on its way to the owner' },
  allowance: {
    on: 'ip-manager.allowance',
    how: 'request',
    says: ['domain-router'],
    hears: ['ip-manager'],
    what: 'which IPs a shard may lend for which site, how much, how long',
  },
  sourceChanged: {
    on: 'ip-manager.changed',
    how: 'core',
    says: ['ip-manager'],
    hears: ['domain-router', 'sender'],
    what: 'a source stopped or resumed lending',
  },
  campaignHeld: {
    on: 'scheduler.held',
    how: 'core',
    says: ['scheduler'],
    hears: ['sender', 'domain-router'],
    what: 'a campaign was paused, resumed or cancelled',
  },
  complained: {
    on: 'scheduler.complained',
    how: 'core',
    says: ['scheduler'],
    hears: ['ip-manager'],
    what: 'somebody complained about a mail that a source had brought to a site',
  },
  suppressionLog: {
    on: 'suppressed.{tenant}',
    how: 'jetstream',
    stream: 'SUPPRESSION',
    says: ['scheduler'],
    hears: ['scheduler'],
    what: 'suppression entries as they were written',
  },
  heldVerdict: {
    on: 'verdicts.{tenant}',
    how: 'jetstream',
    stream: 'SUPPRESSION',
    says: ['scheduler'],
    hears: ['scheduler'],
    what: 'unknown users that were not believed: for a person to confirm or drop',
  },
} as const satisfies Record<string, SubjectRow>

export type SubjectName = keyof typeof SUBJECTS

type Tokens<S extends string> = S extends `${string}{${infer T}}${infer Rest}` ? (T extends `${infer Base}>` ? Base : T) | Tokens<Rest> : never
export type SubjectParams<N extends SubjectName> = Record<Tokens<(typeof SUBJECTS)[N]['on']>, string | number>

/** The speaker's form: `subject('order', { shard: 'google', lane: 'bulk' })` → `mail.google.bulk`. A token that would break the subject is a bug and throws. */
export function subject<N extends SubjectName>(name: N, params: SubjectParams<N>): string {
  return SUBJECTS[name].on.replace(/\{(\w+)(>?)\}/g, (_, key: string, tail: string) => {
    const value = String((params as Record<string, string | number>)[key])
    if (value === '' || value === 'undefined' || /[\s*>\0]/.test(value) || (tail === '' && value.includes('.'))) {
      throw new Error(`subject ${name}: "${value}" cannot stand for {${key}} in ${SUBJECTS[name].on}`)
    }
    return value
  })
}

/** The listener's form: parameters that are given stand, the others become wildcards: `wildcard('order', { shard: 'google' })` → `mail.google.*`. */
export function wildcard<N extends SubjectName>(name: N, params: Partial<SubjectParams<N>> = {}): string {
  return listenerForm(SUBJECTS[name].on, params)
}

/** The same for a row's `on`. */
export function listenerForm(on: string, params: Readonly<Record<string, string | number | undefined>> = {}): string {
  return on.replace(/\{(\w+)(>?)\}/g, (_, key: string, tail: string) => {
    const value = params[key]
    return value === undefined ? (tail ? '>' : '*') : String(value)
  })
}

/** The reading: `read('order', 'mail.google.bulk')` → `{ shard: 'google', lane: 'bulk' }`; null when the subject is not this row's. */
export function readSubject<N extends SubjectName>(name: N, text: string): { [K in keyof SubjectParams<N>]: string } | null {
  const form = SUBJECTS[name].on.split('.')
  const parts = text.split('.')
  const params: Record<string, string> = {}
  for (const [at, piece] of form.entries()) {
    const key = /^\{(\w+)(>?)\}$/.exec(piece)
    if (key?.[2]) {
      const tail = parts.slice(at).join('.')
      if (tail === '') return null
      params[key[1] as string] = tail
      return params as { [K in keyof SubjectParams<N>]: string }
    }
    const part = parts[at]
    if (part === undefined) return null
    if (key) params[key[1] as string] = part
    else if (part !== piece) return null
  }
  return parts.length === form.length ? (params as { [K in keyof SubjectParams<N>]: string }) : null
}
