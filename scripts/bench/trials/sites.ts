/** The same mails to ten receivers and to ten thousand: what does a receiver more cost? */
import { html, recipient } from '../mails.ts'
import { startLab } from '../lab.ts'
import { job, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { cpuMs, processesOf } from './processes.ts'
import { atMost, type Finding, type Trial, type TrialSurroundings } from './trial.ts'

const SITES = [10, 10_000] as const
const MAILS = 50_000
/** the same number of sessions is opened for both */
const MAILS_A_SESSION = 5
const WITHIN_MS = 600_000

export const sites: Trial = {
  name: 'sites',
  title: 'Ten receivers and ten thousand',
  about: `${MAILS} mails of 2 KB, ${MAILS_A_SESSION} a session`,
  async run(surroundings) {
    const costs: number[] = []
    for (const count of SITES) {
      const { cpuUs, perSecond } = await measure(count, surroundings)
      surroundings.say(`${count} sites: ${cpuUs.toFixed(0)} µs of CPU a mail, ${perSecond.toFixed(0)} mails/s`)
      costs.push(cpuUs)
    }
    const [ten = 1, many = 0] = costs
    return [
      { what: 'CPU a mail, 10 sites', found: `${ten.toFixed(0)} µs`, asked: null },
      { what: 'CPU a mail, 10,000 sites', found: `${many.toFixed(0)} µs`, asked: null },
      { what: '10,000 sites against 10', found: `${(many / ten).toFixed(2)}×`, asked: atMost(many / ten, 1.3, '×') },
    ] satisfies Finding[]
  },
}

async function measure(count: number, { sink, signal }: TrialSurroundings): Promise<{ cpuUs: number; perSecond: number }> {
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
  const before = await cpuMs(processes)
  const { beganMs, finishedMs, status } = await lab.send(TENANT, job('wide', html(2), recipients), WITHIN_MS)
  if (status.delivered !== MAILS) throw new Error(`${status.delivered} of ${MAILS} delivered: ${JSON.stringify(status)}`)
  return { cpuUs: (((await cpuMs(processes)) - before) * 1_000) / MAILS, perSecond: (MAILS / (finishedMs - beganMs)) * 1_000 }
}
