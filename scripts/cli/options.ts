/** Every option of every command: one name means one thing everywhere. */
export interface OptionRow {
  /** what stands behind it; absent = it is a flag */
  readonly value?: string
  readonly short?: string
  readonly says: string
}

export const OPTIONS = {
  json: { says: 'answer in JSON, times in RFC 3339 UTC' },
  nats: { value: 'URL', says: 'where NATS is (hato help tells where it is looked for)' },
  help: { short: 'h', says: 'what a command does, with an example' },
  version: { says: 'the version' },
  follow: { short: 'f', says: 'go on until it has ended' },
  tenant: { value: 'TENANT', says: 'whose' },
  campaign: { value: 'ID', says: 'one campaign: ID with --tenant, or TENANT/ID' },
  since: { value: 'DURATION', says: 'only what is younger: 90s, 10m, 24h, 7d' },
  list: { value: 'FILE', says: 'recipients as NDJSON or CSV; goes into the object store first' },
  because: { value: 'TEXT', says: 'the reason that others will read' },
  for: { value: 'DURATION', says: 'how long: 30m, 24h, 7d' },
  id: { value: 'ID', says: 'which action' },
  'sessions-per-ip': { value: 'N', says: 'at most so many sessions from one IP' },
  rate: { value: 'N', says: 'at most so many mails a second over the whole site' },
  reason: { value: 'REASON', says: 'by-hand (default), complaint, unsubscribe, unknown-user, mailbox-full, mailbox-disabled' },
  'of-list': { value: 'LIST', says: "only for this list of the tenant's" },
  site: { value: 'SITE', says: 'at this site only' },
  limit: { value: 'N', says: 'at most so many entries (default 100; 0 = all)' },
  after: { value: 'PLACE', says: 'go on there: an address, or what the page before named' },
  'dry-run': { says: 'only say what would be done' },
  'skip-unusable': { says: 'leave out what is unusable instead of refusing the whole' },
} as const satisfies Record<string, OptionRow>

export type OptionName = keyof typeof OPTIONS

/** Options that every command takes. */
export const EVERYWHERE = ['nats', 'help'] as const satisfies readonly OptionName[]
