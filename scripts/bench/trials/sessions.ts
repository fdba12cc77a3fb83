/** One sender with a thousand sessions open at once: what does it hold in memory? */
import { setTimeout as pause } from 'node:timers/promises'
import { html, recipient } from '../mails.ts'
import { startLab } from '../lab.ts'
import { job, NO_LIMITS, TENANT, trialFleet } from './fleet.ts'
import { memoryMb, processesOf } from './processes.ts'
import { startSlowPeer } from './slow-peer.ts'
import { atMost, type Trial } from './trial.ts'

const SESSIONS = 1_000
const IPS = 4
const A_SITE = 5
/** an order is worked on from one source, and a site is given two or three before it has delivered anything */
const ORDERS_A_SITE = 2
const SITES = SESSIONS / (ORDERS_A_SITE * A_SITE)
const MAILS_A_SESSION = 20
const OPEN_WITHIN_MS = 60_000
const SENT_WITHIN_MS = 240_000
const LOOK_EVERY_MS = 50

export const sessions: Trial = {
  name: 'sessions',
  title: 'A thousand sessions',
  about: `one sender, ${SITES} receivers that let the reply to the dot wait until ${SESSIONS} sessions are open, then take all; ${MAILS_A_SESSION} mails of 10 KB a session`,
  async run({ say, signal }) {
    await using peer = await startSlowPeer('0.0.0.0')
    const sites = Array.from({ length: SITES }, (_, at) => `isp${at}.example`)
    await using lab = await startLab({
      zone: sites.flatMap((site, at) => [
        { name: `mx.${site}`, ttlS: 600, type: 'A' as const, data: `127.16.0.${1 + at}` },
        { name: site, ttlS: 600, type: 'MX' as const, data: { preference: 10, exchange: `mx.${site}` } },
      ]),
      fleet: (dns) =>
        trialFleet({
          dns,
          smtpPort: peer.port,
          ips: IPS,
          isp: { name: 'tail', sessions_start: A_SITE, sessions_per_ip: A_SITE, ahead: 'never', ...NO_LIMITS },
        }),
      senders: 1,
      env: { HATO_SESSIONS: String(SESSIONS) },
      signal,
    })
    const sender = processesOf(lab.cluster.state()).find(({ name }) => name === 'sender 1')
    if (sender === undefined) throw new Error('there is no sender')
    const mails = SESSIONS * MAILS_A_SESSION
    const recipients = Array.from({ length: mails }, (_, n) => ({ ...recipient(n), address: `r${n}@${sites[n % SITES]}` }))
    const sending = lab.send(TENANT, job('open', html(10), { recipients }), SENT_WITHIN_MS)
    const untilMs = performance.now() + OPEN_WITHIN_MS
    while (peer.most() < SESSIONS && performance.now() < untilMs) await pause(LOOK_EVERY_MS, undefined, { signal }) // sessions open by and by
    const [open, atOpen] = [peer.most(), await memoryMb(sender)]
    say(`${open} sessions open: ${atOpen.now.toFixed(0)} MB`)
    peer.letGo()
    const { status } = await sending
    if (open < SESSIONS) throw new Error(`only ${open} of ${SESSIONS} sessions were ever open`)
    if (status.delivered !== mails) throw new Error(`${status.delivered} of ${mails} delivered: ${JSON.stringify(status)}`)
    const { peak } = await memoryMb(sender)
    return [
      { what: `sender with ${SESSIONS} sessions open: RSS`, found: `${atOpen.now.toFixed(0)} MB`, asked: null },
      { what: 'its peak, all of them sending', found: `${peak.toFixed(0)} MB`, asked: atMost(peak, 250, 'MB') },
    ]
  },
}
