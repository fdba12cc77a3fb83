/** Messages of one atomic batch: a step of a list of many small sites has thousands (scheduler's `stepBatches`); a server by itself takes 1,000. */
const BATCH_MESSAGES = 16_000
/** What a scheduler may be told then: batches of one step, beside their cursor and the orders of a small campaign. */
export const STEP_BATCHES = 15_000

export interface ServerPlan {
  readonly host: string
  readonly port: number
  /** folder of the streams */
  readonly store: string
  readonly log: string
  readonly pid: string
  readonly maxFileBytes: number
  /** accounts.ts */
  readonly accounts: object
}

/** The configuration of a server of our own, as text. */
export function serverConfig({ host, port, store, log, pid, maxFileBytes, accounts }: ServerPlan): string {
  return `# written by scripts/start at every start and whenever a tenant comes or goes
server_name: hato
host: ${host}
port: ${port}
max_payload: 8MB        # a campaign with its recipients in one message
log_file: ${JSON.stringify(log)}
log_size_limit: 20MB
pid_file: ${JSON.stringify(pid)}
jetstream {
  store_dir: ${JSON.stringify(store)}
  max_file_store: ${maxFileBytes}
  sync_interval: always # an ack means it is on the disk
  limits { batch { max_inflight_per_stream: 200, max_msgs: ${BATCH_MESSAGES} } } # group commits of many senders at once; steps of long lists
}
accounts: ${JSON.stringify(accounts, null, 2)}
`
}
