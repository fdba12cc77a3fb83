/** Hato as `npm start` runs it: the supervisor's own pieces, nats-server synced, every actor a process; campaigns published as anybody would. */
import type { ClusterState } from '../../start/state-file.ts'
import type { ZoneRecord } from '../../world/dns/zone.ts'
import type { Cell } from '../cells.ts'
import type { Contender, Running, Surroundings, Target } from '../contender.ts'
import { DOMAINS, html, recipient, SUBJECT, TEXT } from '../mails.ts'
import { startLab } from '../lab.ts'
import { benchFleet, FROM_DOMAIN, MX, SESSIONS, TENANT } from './hato-fleet.ts'

const SENDERS = 2
/** beyond this something is stuck */
const RUN_WITHIN_MS = 180_000

export const hato: Contender = {
  name: 'hato',
  title: 'Hato',
  version: 'this tree',
  settings: `npm start’s cluster with ${SENDERS} senders and ${SESSIONS} sessions over 4 source addresses, next envelope behind the body, the site’s limits lifted; a campaign per run, Liquid templates rendered for each recipient`,
  durability: 'campaign, batches, claims and each mail’s outcome in JetStream, every write fsynced (sync_interval: always)',
  perSecond: 8_500,
  measures: () => true,
  start: (surroundings) => startHato(surroundings),
}

export interface RunningHato extends Running {
  state(): ClusterState
}

/** `env`: further variables of the actors. */
export async function startHato({ target, signal }: Surroundings, env: Readonly<Record<string, string>> = {}): Promise<RunningHato> {
  const lab = await startLab({ zone: zoneOf(target), fleet: (dns) => benchFleet({ dns, smtpPort: target.port }), senders: SENDERS, env, signal })
  let runs = 0
  const send = async (cell: Cell, mails: number) => {
    const { beganMs, finishedMs, status } = await lab.send(TENANT, campaign(`run-${++runs}`, cell, mails), RUN_WITHIN_MS)
    if (status.delivered !== mails) throw new Error(`Hato finished with ${status.delivered} of ${mails} delivered: ${JSON.stringify(status)}`)
    return { beganMs, finishedMs }
  }
  return { send, state: lab.cluster.state, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() }
}

const zoneOf = ({ host }: Target): ZoneRecord[] => [
  { name: MX, ttlS: 600, type: 'A', data: host },
  ...DOMAINS.map((name) => ({ name, ttlS: 600, type: 'MX' as const, data: { preference: 10, exchange: MX } })),
]

const campaign = (id: string, { bodyKb, dkim }: Cell, mails: number) => ({
  id,
  kind: 'notice',
  from: { name: 'Acme', address: `news@${FROM_DOMAIN[dkim]}` },
  subject: SUBJECT,
  text: TEXT,
  html: html(bodyKb),
  recipients: Array.from({ length: mails }, (_, n) => recipient(n)),
})
