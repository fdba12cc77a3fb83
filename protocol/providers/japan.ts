import { HOUR_MS, MB, provider } from './row.ts'
import type { ProviderRow } from './row.ts'
import { A, KC, P, S, THIRD } from './sources.ts'

/** A quick burst at a carrier is answered by a block of the source; they ask to spread mail over time without a number. */
const CARRIER_MAILS_PER_SECOND = 10
/** Carriers block the source network for a while after many unknown users. */
const CARRIER_UNKNOWN_MAX = 0.03

/** Access providers and hosters without published limits. */
function accessProvider(name: string, mx: readonly string[], sample: readonly string[]): ProviderRow {
  return provider({
    name,
    mx,
    per: 'hosts',
    sessionsPerIp: 2,
    mailsPerSession: 20,
    since: { mx: A, per: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [sample],
  })
}

export const JAPAN = [
  provider({
    name: 'yahoo-jp',
    mx: ['mail.yahoo.co.jp'],
    sessionsPerIp: 2,
    mailsPerSession: 20,
    mailsPerSecond: 10,
    rest: { sourceMs: HOUR_MS },
    since: { mx: S, sessionsPerIp: KC, mailsPerSession: KC, mailsPerSecond: KC, rest: KC },
    sampleMx: [['mx1.mail.yahoo.co.jp', 'mx2.mail.yahoo.co.jp', 'mx3.mail.yahoo.co.jp', 'mx5.mail.yahoo.co.jp']],
  }),
  provider({
    name: 'docomo',
    mx: ['docomo.ne.jp'],
    sessionsPerIp: 4,
    mailsPerSession: 50,
    rcptsPerSession: 100, // with the 101st nothing of the session is delivered
    mailsPerSecond: CARRIER_MAILS_PER_SECOND,
    unknown: 'ambiguous',
    unknownMax: CARRIER_UNKNOWN_MAX,
    since: { mx: S, sessionsPerIp: A, mailsPerSession: A, rcptsPerSession: THIRD, mailsPerSecond: A, unknown: S, unknownMax: A },
    sampleMx: [['mfsmax.docomo.ne.jp']],
  }),
  provider({
    name: 'au',
    mx: ['ezweb.ne.jp', 'au.com'],
    sessionsPerIp: 2, // many or long sessions count against the sender
    mailsPerSession: 20,
    maxSizeBytes: 3 * MB,
    mailsPerSecond: CARRIER_MAILS_PER_SECOND,
    unknown: 'ambiguous',
    unknownMax: CARRIER_UNKNOWN_MAX,
    since: { mx: S, sessionsPerIp: A, mailsPerSession: A, maxSizeBytes: P, mailsPerSecond: A, unknown: S, unknownMax: A },
    sampleMx: [['lsean.ezweb.ne.jp'], ['msmx.au.com']],
  }),
  provider({
    name: 'softbank',
    mx: ['softbank.ne.jp', 'i.softbank.jp'],
    sessionsPerIp: 2,
    mailsPerSession: 20,
    maxSizeBytes: MB,
    mailsPerSecond: CARRIER_MAILS_PER_SECOND,
    unknownMax: CARRIER_UNKNOWN_MAX,
    since: { mx: S, sessionsPerIp: A, mailsPerSession: A, maxSizeBytes: 'P 2008', mailsPerSecond: A, unknownMax: A },
    sampleMx: [['mx.softbank.ne.jp'], ['mx.i.softbank.jp']],
  }),
  provider({
    name: 'jcom',
    mx: ['jcom.ne.jp', 'zaq.ne.jp'],
    sessionsPerIp: 2,
    mailsPerSession: 10,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['mx.jcom.zaq.ne.jp'], ['mx.jcom.ne.jp']],
  }),
  accessProvider('ocn', ['ocn.ne.jp', 'ocn.ad.jp'], ['mx.ocn.ne.jp']),
  accessProvider('plala', ['plala.or.jp'], ['mx.plala.or.jp']),
  accessProvider('nifty', ['nifty.com'], ['mx.nifty.com']),
  accessProvider('biglobe', ['biglobe.ne.jp'], ['mx.biglobe.ne.jp']),
  accessProvider('so-net', ['so-net.ne.jp'], ['mx.so-net.ne.jp']),
  accessProvider('sakura', ['sakura.ne.jp'], ['www1234.sakura.ne.jp']),
  accessProvider('xserver', ['xserver.jp'], ['sv1234.xserver.jp']),
  accessProvider('lolipop', ['lolipop.jp'], ['mx01.lolipop.jp']),
]
