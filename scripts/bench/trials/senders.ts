/** More senders, more mail: receivers 50 ms away, each sender with a few sessions. */
import { html, recipient } from '../mails.ts'
import { startLab } from '../lab.ts'
import { startDelayProxy } from './delay-proxy.ts'
import { job, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { between } from './latency.ts'
import { atLeast, type Finding, type Trial, type TrialSurroundings } from './trial.ts'

const ROUND_TRIP_MS = 50
const SESSIONS_A_SENDER = 4
const SENDERS = [1, 8] as const
const SITES = 8
/** some 15 s of sending, either way */
const MAILS_A_SENDER = 700
const WARM_UP_A_SENDER = 100
const WITHIN_MS = 180_000

export const senders: Trial = {
  name: 'senders',
  title: 'From one sender to eight',
  about: `${SITES} receivers ${ROUND_TRIP_MS} ms away, ${SESSIONS_A_SENDER} sessions a sender, mails of 2 KB`,
  async run(surroundings) {
    const rates: number[] = []
    for (const count of SENDERS) {
      const perSecond = await measure(count, surroundings)
      surroundings.say(`${count} sender${count === 1 ? '' : 's'}: ${perSecond.toFixed(0)} mails/s`)
      rates.push(perSecond)
    }
    const [one = 1, eight = 0] = rates
    return [
      { what: 'mails/s with 1 sender', found: one.toFixed(0), asked: null },
      { what: 'mails/s with 8 senders', found: eight.toFixed(0), asked: null },
      { what: '8 senders against 1', found: `${(eight / one).toFixed(1)}×`, asked: atLeast(eight / one, 7, '×') },
    ] satisfies Finding[]
  },
}

async function measure(count: number, { sink, signal }: TrialSurroundings): Promise<number> {
  await using target = await sink()
  await using proxies = new AsyncDisposableStack()
  const sites = Array.from({ length: SITES }, (_, at) => `isp${at}.example`)
  // Every receiver has an address of its own: never more than five sessions go from one source to one address.
  let port = 0
  for (const at of sites.keys()) port = proxies.use(await startDelayProxy(target, addressOf(at), ROUND_TRIP_MS / 2, port)).port
  await using lab = await startLab({
    zone: sites.flatMap((site, at) => [
      { name: `mx.${site}`, ttlS: 600, type: 'A' as const, data: addressOf(at) },
      { name: site, ttlS: 600, type: 'MX' as const, data: { preference: 10, exchange: `mx.${site}` } },
    ]),
    fleet: (dns) =>
      trialFleet({
        dns,
        smtpPort: port,
        ips: 4,
        isp: { name: 'tail', sessions_start: 4, sessions_per_ip: 4, ahead: 'never', ...NO_LIMITS },
      }),
    senders: count,
    env: { HATO_SESSIONS: String(SESSIONS_A_SENDER) },
    signal,
  })
  const mails = MAILS_A_SENDER * count
  const recipients = Array.from({ length: mails }, (_, n) => ({ ...recipient(n), address: `r${n}@${sites[n % SITES]}` }))
  const sending = lab.send(TENANT, job('many', html(2), { recipients }), WITHIN_MS)
  // The last ones wait for whichever site is last: what counts is the time while all have work.
  const to = Math.round(mails * 0.85)
  const from = WARM_UP_A_SENDER * count
  const { fromMs, toMs } = await between(target.counted, from, to, signal)
  await sending
  return ((to - from) / (toMs - fromMs)) * 1_000
}

const addressOf = (site: number): string => `127.0.2.${210 + site}`
