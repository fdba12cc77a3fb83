/** One session over a line of 50 ms: what the conversation itself allows. */
import { html, recipient } from '../mails.ts'
import { startLab } from '../lab.ts'
import { startDelayProxy } from './delay-proxy.ts'
import { job, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { atLeast, type Finding, type Trial, type TrialSurroundings } from './trial.ts'

const ROUND_TRIP_MS = 50
const MAILS = 200
/** start-up: connect, EHLO, the first mails alone */
const WARM_UP = 20
const WITHIN_MS = 120_000
const PEERS = [
  { ahead: 'always', title: 'next envelope behind the body', wanted: 18 },
  { ahead: 'never', title: 'PIPELINING only', wanted: 9 },
] as const

export const latency: Trial = {
  name: 'latency',
  title: `One session, ${ROUND_TRIP_MS} ms round trip`,
  about: `${MAILS} mails of 10 KB through one session over a proxy that delays each direction by ${ROUND_TRIP_MS / 2} ms`,
  async run(surroundings) {
    const findings: Finding[] = []
    for (const peer of PEERS) findings.push(await measure(peer, surroundings))
    return findings
  },
}

async function measure({ ahead, title, wanted }: (typeof PEERS)[number], { sink, signal }: TrialSurroundings): Promise<Finding> {
  await using target = await sink()
  await using proxy = await startDelayProxy(target, '127.0.2.201', ROUND_TRIP_MS / 2)
  await using lab = await startLab({
    zone: [
      { name: 'mx.sink.example', ttlS: 600, type: 'A', data: proxy.host },
      ...Array.from({ length: 4 }, (_, at) => ({
        name: `d${at}.sink.example`,
        ttlS: 600,
        type: 'MX' as const,
        data: { preference: 10, exchange: 'mx.sink.example' },
      })),
    ],
    fleet: (dns) =>
      trialFleet({
        dns,
        smtpPort: proxy.port,
        ips: 1,
        isp: { name: 'sink', mx: ['sink.example'], sessions_start: 1, sessions_per_ip: 1, ahead, ...NO_LIMITS },
      }),
    senders: 1,
    signal,
  })
  const sending = lab.send(TENANT, job('line', html(10), { recipients: Array.from({ length: MAILS }, (_, n) => recipient(n)) }), WITHIN_MS)
  const { fromMs, toMs } = await between(target.counted, WARM_UP, MAILS, signal)
  await sending
  const perSecond = ((MAILS - WARM_UP) / (toMs - fromMs)) * 1_000
  return { what: `mails/s, ${title}`, found: perSecond.toFixed(1), asked: atLeast(perSecond, wanted, 'mails/s') }
}

/** When the sink had its first `from` mails and when all. */
export async function between(counted: () => Promise<number>, from: number, to: number, signal: AbortSignal): Promise<{ fromMs: number; toMs: number }> {
  let fromMs: number | null = null
  for (;;) {
    const now = await counted()
    if (now >= from) fromMs ??= performance.now()
    if (now >= to) return { fromMs: fromMs ?? performance.now(), toMs: performance.now() }
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5)) // the sink tells nobody; its counters are read
  }
}
