/**
 * The same mails to ten receivers and to ten thousand: what does a receiver more cost?
 *
 * Counted is the CPU of every process of the cluster, from the publish to `finished`, the list's expansion and every look-up included. The same number of
 * sessions is opened for all; what a receiver more brings with it, and no design takes away, is: its names in DNS (MX, A, AAAA at scheduler and sender,
 * `_mta-sts` at the sender), a lease, and a batch, an order, a claim and an outcome chunk of its own, which ten receivers share a hundred mails of.
 */
import { html, recipient } from '../mails.ts'
import { startLab } from '../lab.ts'
import { job, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { cpuMs, memoryMb, processesOf } from './processes.ts'
import { atMost, type Finding, type Trial, type TrialSurroundings } from './trial.ts'

const SITES = [10, 1_000, 10_000] as const
const MAILS = 50_000
/** the same number of sessions is opened for both */
const MAILS_A_SESSION = 5
const WITHIN_MS = 600_000

export const sites: Trial = {
  name: 'sites',
  title: 'Ten receivers and ten thousand',
  about: `${MAILS} mails of 2 KB, ${MAILS_A_SESSION} a session, as many sessions for ten receivers as for ten thousand; CPU of the whole cluster, DNS look-ups, claims and journal included`,
  async run(surroundings) {
    const costs: Measured[] = []
    for (const count of SITES) {
      const cost = await measure(count, surroundings)
      surroundings.say(`${count} sites: ${cost.cpuUs.toFixed(0)} µs of CPU a mail (${cost.parts}), ${cost.perSecond.toFixed(0)} mails/s`)
      costs.push(cost)
    }
    const [ten, , many] = costs as [Measured, Measured, Measured]
    return [
      ...costs.map(({ cpuUs, parts }, at): Finding => ({ what: `CPU a mail, ${SITES[at]} sites (${parts})`, found: `${cpuUs.toFixed(0)} µs`, asked: null })),
      { what: '10,000 sites against 10', found: `${(many.cpuUs / ten.cpuUs).toFixed(2)}×`, asked: atMost(many.cpuUs / ten.cpuUs, 1.3, '×') },
      { what: 'router with 10,000 sites, peak RSS', found: `${many.routerMb.toFixed(0)} MB`, asked: atMost(many.routerMb, 200, 'MB') },
    ]
  },
}

interface Measured {
  readonly cpuUs: number
  /** of each process, in words */
  readonly parts: string
  readonly perSecond: number
  readonly routerMb: number
}

async function measure(count: number, { sink, signal }: TrialSurroundings): Promise<Measured> {
  await using target = await sink('0.0.0.0') // each receiver has an address of its own, 127.x.y.z
  const names = Array.from({ length: count }, (_, at) => ({ site: `isp${at}.example`, address: `127.${16 + (at >> 14)}.${(at >> 7) & 127}.${1 + (at & 127)}` }))
  await using lab = await startLab({
    zone: names.flatMap(({ site, address }) => [
      { name: `mx.${site}`, ttlS: 600, type: 'A' as const, data: address },
      { name: site, ttlS: 600, type: 'MX' as const, data: { preference: 10, exchange: `mx.${site}` } },
    ]),
    fleet: (dns) =>
      trialFleet({
        dns,
        smtpPort: target.port,
        ips: 4,
        isp: { name: 'tail', sessions_start: 2, sessions_per_ip: 5, ahead: 'never', ...NO_LIMITS, mails_per_session: MAILS_A_SESSION },
      }),
    senders: 2,
    signal,
  })
  const processes = processesOf(lab.cluster.state())
  const recipients = Array.from({ length: MAILS }, (_, n) => ({ ...recipient(n), address: `r${n}@${names[n % count]?.site}` }))
  const each = () => Promise.all(processes.map((one) => cpuMs([one])))
  const before = await each()
  const { beganMs, finishedMs, status } = await lab.send(TENANT, job('wide', html(2), recipients), WITHIN_MS)
  if (status.delivered !== MAILS) throw new Error(`${status.delivered} of ${MAILS} delivered: ${JSON.stringify(status)}`)
  const cpuUs = (await each()).map((ms, at) => ((ms - (before[at] ?? 0)) * 1_000) / MAILS)
  const router = processes.find(({ name }) => name === 'domain-router')
  return {
    cpuUs: cpuUs.reduce((sum, one) => sum + one, 0),
    parts: processes.map(({ name }, at) => `${name} ${cpuUs[at]?.toFixed(0)}`).join(', '),
    perSecond: (MAILS / (finishedMs - beganMs)) * 1_000,
    routerMb: router === undefined ? Number.NaN : (await memoryMb(router)).peak,
  }
}
