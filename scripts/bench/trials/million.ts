/** A list of very many, in the object store: when its first mail goes, how fast it is read, and whether any process grows with it. */
import { setTimeout as pause } from 'node:timers/promises'
import { OBJECT_BUCKET } from '../../../protocol/buckets.ts'
import { decodePublic, encodeJson } from '../../../protocol/codec.ts'
import { rfc3339 } from '../../../protocol/duration.ts'
import { subject } from '../../../protocol/subjects.ts'
import { openObjects } from '../../../services/runtime/objects.ts'
import { type Lab, publish, startLab, untilStatus } from '../lab.ts'
import { FROM, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { memoryMb, processesOf } from './processes.ts'
import { atLeast, atMost, type Finding, type Trial, type TrialSurroundings } from './trial.ts'

/** domains that have seven tenths of the people … */
const LARGE = 30
/** … and all of them, each a site with an address of its own. What thousands of sites cost is another trial's question */
const DOMAINS = 300
const SENDERS = 2
/** the sink takes 1,200 connections; what it does not take looks as a host that is out of reach */
const SESSIONS_A_SENDER = 500
const LOOK_EVERY_MS = 20
const READ_WITHIN_MS = 600_000
/** slower than this and something is stuck */
const SLOWEST_PER_S = 500
const PEAK_MB: Readonly<Record<string, number>> = { scheduler: 300, 'domain-router': 200 }

export const million: Trial = {
  name: 'million',
  title: 'A very long list',
  about: `mails of 1 KB to an NDJSON object of --recipients lines, after one of a tenth of them on another cluster, both sent to their end; ${LARGE} domains with seven tenths of the people, ${DOMAINS - LARGE} with the others. Peaks are those of the whole run, the start included. Read alone: the same list for a campaign that starts an hour later, then cancelled`,
  async run(surroundings) {
    const { recipients } = surroundings
    const tenth = await sendAll(Math.ceil(recipients / 10), surroundings)
    const all = await sendAll(recipients, surroundings)
    const findings: Finding[] = [
      { what: 'publish → first mail', found: `${(all.firstMs / 1_000).toFixed(2)} s`, asked: atMost(all.firstMs / 1_000, 2, 's') },
      { what: 'recipients/s read while sending', found: all.readPerS.toFixed(0), asked: null },
      { what: 'recipients/s read alone', found: all.alone.readPerS.toFixed(0), asked: atLeast(all.alone.readPerS, 40_000, '') },
      { what: `cancel of ${recipients} unreleased recipients`, found: `${(all.alone.cancelMs / 1_000).toFixed(1)} s`, asked: null },
      { what: 'mails/s, published → finished', found: all.sentPerS.toFixed(0), asked: null },
    ]
    for (const [name, peak] of all.peaks) {
      const small = tenth.peaks.get(name) ?? peak
      const wanted = PEAK_MB[name]
      const limit = wanted !== undefined
      findings.push({ what: `${name}: peak RSS, ${recipients} recipients`, found: `${peak.toFixed(0)} MB`, asked: limit ? atMost(peak, wanted, 'MB') : null })
      // 16 octets an address of de-duplication are the list's own (S8); nats-server keeps the list itself.
      const own = name === 'scheduler' ? (16 * recipients) / 1_048_576 : 0
      const growth = ((peak - own) / small - 1) * 100
      findings.push({
        what: `${name}: growth from a tenth of them (${small.toFixed(0)} MB)`,
        found: `${growth.toFixed(1)} %`,
        asked: name === 'nats-server' ? null : atMost(growth, 10, '%'),
      })
    }
    return findings
  },
}

interface Sent {
  readonly firstMs: number
  readonly readPerS: number
  readonly sentPerS: number
  readonly peaks: ReadonlyMap<string, number>
  readonly alone: { readonly readPerS: number; readonly cancelMs: number }
}

async function sendAll(recipients: number, { sink, say, signal }: TrialSurroundings): Promise<Sent> {
  await using target = await sink('0.0.0.0') // each site has an address of its own, 127.x.y.z
  await using lab = await startLab({
    zone: Array.from({ length: DOMAINS }, (_, at) => at).flatMap((at) => [
      { name: `mx.${domainName(at)}`, ttlS: 3_600, type: 'A' as const, data: `127.${16 + (at >> 14)}.${(at >> 7) & 127}.${1 + (at & 127)}` },
      { name: domainName(at), ttlS: 3_600, type: 'MX' as const, data: { preference: 10, exchange: `mx.${domainName(at)}` } },
    ]),
    fleet: (dns) =>
      trialFleet({ dns, smtpPort: target.port, ips: 4, isp: { name: 'tail', sessions_start: 2, sessions_per_ip: 5, ahead: 'never', ...NO_LIMITS } }),
    senders: SENDERS,
    env: { HATO_SESSIONS: String(SESSIONS_A_SENDER) },
    signal,
  })
  const list = 'lists/acme/million.ndjson'
  await openObjects(lab.cluster.bus, OBJECT_BUCKET).put(list, piecesOf(recipients))

  const published = performance.now()
  await publish(lab.cluster.bus, TENANT, campaign('million', list))
  const first = async () => {
    while ((await target.counted()) === 0) await pause(LOOK_EVERY_MS, undefined, { signal }) // the sink's counters are a file
    return performance.now() - published
  }
  const [firstMs, readMs] = await Promise.all([first(), untilRead(lab, 'million', recipients, published, signal)])
  say(`${recipients} recipients: first mail after ${firstMs.toFixed(0)} ms, read after ${(readMs / 1_000).toFixed(1)} s`)
  const end = await untilStatus(lab.cluster.bus, { tenant: TENANT, id: 'million' }, ({ state }) => state === 'finished', {
    withinMs: 60_000 + (recipients / SLOWEST_PER_S) * 1_000,
    signal,
  })
  const sentMs = Date.parse(end.finishedAt ?? '') - Date.parse(end.acceptedAt ?? '')
  if (end.delivered !== recipients || end.mayBeDuplicate > 0) throw new Error(`${end.delivered} of ${recipients} delivered: ${JSON.stringify(end)}`)
  const processes = processesOf(lab.cluster.state())
  const each = await Promise.all(processes.map(async (one) => [one.name, (await memoryMb(one)).peak] as const))
  say(`sent after ${(sentMs / 1_000).toFixed(1)} s; peaks: ${each.map(([name, mb]) => `${name} ${mb.toFixed(0)} MB`).join(', ')}`)
  const alone = await readAlone(lab, list, recipients, signal)
  say(`read alone: ${alone.readPerS.toFixed(0)}/s; cancelled in ${(alone.cancelMs / 1_000).toFixed(1)} s`)
  return { firstMs, readPerS: (recipients / readMs) * 1_000, sentPerS: (recipients / sentMs) * 1_000, peaks: new Map(each), alone }
}

/** The list of a campaign whose start is an hour away: nothing is released meanwhile. */
async function readAlone(lab: Lab, list: string, recipients: number, signal: AbortSignal): Promise<Sent['alone']> {
  const published = performance.now()
  await publish(lab.cluster.bus, TENANT, { ...campaign('later', list), sendAt: rfc3339(Date.now() + 3_600_000) })
  const readMs = await untilRead(lab, 'later', recipients, published, signal)
  const began = performance.now()
  const answer = await lab.cluster.bus.ask(subject('campaignControl', { tenant: TENANT, id: 'later' }), encodeJson({ action: 'cancel' }), { timeoutMs: 30_000 })
  const read = answer.kind === 'answer' ? decodePublic(answer.body) : null
  if (read?.kind !== 'read' || (read.body as { ok?: boolean }).ok !== true) throw new Error(`the cancel was not taken: ${JSON.stringify(read ?? answer)}`)
  const end = await untilStatus(lab.cluster.bus, { tenant: TENANT, id: 'later' }, ({ state }) => state === 'cancelled', { withinMs: READ_WITHIN_MS, signal })
  if (end.cancelled !== recipients) throw new Error(`${end.cancelled} of ${recipients} cancelled: ${JSON.stringify(end)}`)
  return { readPerS: (recipients / readMs) * 1_000, cancelMs: performance.now() - began }
}

async function untilRead(lab: Lab, id: string, recipients: number, published: number, signal: AbortSignal): Promise<number> {
  await untilStatus(lab.cluster.bus, { tenant: TENANT, id }, ({ listRead }) => listRead >= recipients, { withinMs: READ_WITHIN_MS, signal })
  return performance.now() - published
}

const campaign = (id: string, recipientsObject: string) => ({
  id,
  kind: 'notice',
  from: { name: 'Acme', address: FROM },
  subject: 'News for {{ name }}',
  text: `Dear {{ name }},\n\n${'the news of this week are these.\n'.repeat(20)}`,
  dedupe: 'address',
  recipientsObject,
})

const domainName = (n: number) => `d${n}.example`

/** NDJSON in pieces of some 100 KB. */
function* piecesOf(recipients: number): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  let text = ''
  for (let n = 0; n < recipients; n++) {
    const dice = (Math.imul(n, 0x9e3779b1) >>> 0) / 0x1_0000_0000
    const domain = dice < 0.7 ? Math.floor((dice / 0.7) * LARGE) : LARGE + Math.floor(((dice - 0.7) / 0.3) * (DOMAINS - LARGE))
    text += `${JSON.stringify({ address: `user${n}@${domainName(domain)}`, ref: `r-${n}`, name: `Reader ${n}`, vars: { points: n % 1_000 } })}\n`
    if (text.length < 100_000) continue
    yield encoder.encode(text)
    text = ''
  }
  yield encoder.encode(text)
}
