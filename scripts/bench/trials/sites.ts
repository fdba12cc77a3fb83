/**
 * The same mails to ten receivers and to ten thousand: what does a receiver more cost?
 *
 * Counted is the CPU of every process of the cluster, from the publish to `finished`, the list's expansion and every look-up included. The same number of
 * sessions is opened for all; what a receiver more brings with it, and no design takes away, is: its names in DNS (MX, A, AAAA at scheduler and sender,
 * `_mta-sts` at the sender), a lease, and a batch, an order, a claim and an outcome chunk of its own, which ten receivers share a hundred mails of.
 */
import { OBJECT_BUCKET } from '../../../protocol/buckets.ts'
import { openObjects } from '../../../services/runtime/objects.ts'
import { html, recipient } from '../mails.ts'
import { startLab } from '../lab.ts'
import { job, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { cpuMs, memoryMb, processesOf } from './processes.ts'
import { atMost, type Finding, type Trial, type TrialSurroundings } from './trial.ts'

/** A small campaign, where each of ten thousand receivers has five mails, and a larger one, where it has twenty-five. */
const SIZES = [50_000, 250_000] as const
const FEW = 10
const MANY = 10_000
const MAILS_A_SESSION = 5
/** slower than this and something is stuck */
const SLOWEST_PER_S = 200
const PIECE = 1_000
const LIST = `lists/${TENANT}/wide.ndjson`

export const sites: Trial = {
  name: 'sites',
  title: 'Ten receivers and ten thousand',
  about: `${SIZES.join(' and ')} mails of 2 KB to receivers in turn, ${MAILS_A_SESSION} a session, as many sessions for ten receivers as for ten thousand; CPU of the whole cluster, DNS look-ups, claims and journal included`,
  async run(surroundings) {
    const findings: Finding[] = []
    for (const mails of SIZES) {
      const few = await measure(FEW, mails, surroundings)
      const many = await measure(MANY, mails, surroundings)
      const times = many.cpuUs / few.cpuUs
      findings.push(
        ...[few, many].map(
          ({ sites, cpuUs, parts }): Finding => ({
            what: `${mails} mails: CPU a mail, ${sites} sites (${parts})`,
            found: `${cpuUs.toFixed(0)} µs`,
            asked: null,
          }),
        ),
        { what: `${mails} mails: ${MANY} sites against ${FEW}`, found: `${times.toFixed(2)}×`, asked: atMost(times, 1.3, '×') },
        { what: `${mails} mails: router with ${MANY} sites, peak RSS`, found: `${many.routerMb.toFixed(0)} MB`, asked: atMost(many.routerMb, 200, 'MB') },
      )
    }
    return findings
  },
}

interface Measured {
  readonly sites: number
  readonly cpuUs: number
  /** of each process, in words */
  readonly parts: string
  readonly routerMb: number
}

async function measure(count: number, mails: number, { sink, say, signal }: TrialSurroundings): Promise<Measured> {
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
  await openObjects(lab.cluster.bus, OBJECT_BUCKET).put(
    LIST,
    linesTo(
      names.map(({ site }) => site),
      mails,
    ),
  )
  const each = () => Promise.all(processes.map((one) => cpuMs([one])))
  const before = await each()
  const { beganMs, finishedMs, status } = await lab.send(TENANT, job('wide', html(2), { recipientsObject: LIST }), 60_000 + (mails / SLOWEST_PER_S) * 1_000)
  if (status.delivered !== mails) throw new Error(`${status.delivered} of ${mails} delivered: ${JSON.stringify(status)}`)
  const cpuOf = (await each()).map((ms, at) => ((ms - (before[at] ?? 0)) * 1_000) / mails)
  const router = processes.find(({ name }) => name === 'domain-router')
  const found = {
    sites: count,
    cpuUs: cpuOf.reduce((sum, one) => sum + one, 0),
    parts: processes.map(({ name }, at) => `${name} ${cpuOf[at]?.toFixed(0)}`).join(', '),
    routerMb: router === undefined ? Number.NaN : (await memoryMb(router)).peak,
  }
  const perSecond = (mails / (finishedMs - beganMs)) * 1_000
  say(`${mails} mails to ${count} sites: ${found.cpuUs.toFixed(0)} µs of CPU a mail (${found.parts}), ${perSecond.toFixed(0)} mails/s`)
  return found
}

/** NDJSON, the receivers in turn, in pieces of some thousand lines. */
function* linesTo(sites: readonly string[], mails: number): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  for (let from = 0; from < mails; from += PIECE) {
    const lines = Array.from({ length: Math.min(PIECE, mails - from) }, (_, at) => {
      const n = from + at
      return `${JSON.stringify({ ...recipient(n), address: `r${n}@${sites[n % sites.length]}` })}\n`
    })
    yield encoder.encode(lines.join(''))
  }
}
