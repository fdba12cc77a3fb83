import { HOUR_MS, MB, MINUTE_MS, provider } from './row.ts'
import type { ProviderRow } from './row.ts'
import { A, K, KC, P, THIRD } from './sources.ts'

/** A national provider without published limits: two sessions, and short ones. */
function small(name: string, mx: readonly string[], sample: readonly string[], per: ProviderRow['per'] = 'provider'): ProviderRow {
  return provider({ name, mx, per, sessionsPerIp: 2, mailsPerSession: 20, since: { mx: A, per: A, sessionsPerIp: A, mailsPerSession: A }, sampleMx: [sample] })
}

/** 200 to 300 an hour and IP without a contract. */
const POLISH_MAILS_PER_HOUR = 200

function polish(name: string, mx: readonly string[], sample: readonly string[]): ProviderRow {
  const row = small(name, mx, sample)
  return {
    ...row,
    mailsPerSecond: POLISH_MAILS_PER_HOUR / 3_600,
    hourlyStart: POLISH_MAILS_PER_HOUR,
    since: { ...row.since, mailsPerSecond: THIRD, hourlyStart: THIRD },
  }
}

export const EUROPE = [
  provider({
    name: 'orange',
    mx: ['orange.fr', 'wanadoo.fr'],
    sessionsPerIp: 2,
    mailsPerSession: 100,
    tls: 'required',
    maxSizeBytes: 45 * MB,
    rest: { busyMs: HOUR_MS },
    since: { mx: K, sessionsPerIp: K, mailsPerSession: K, tls: K, maxSizeBytes: 'P 2026-05', rest: KC },
    sampleMx: [['smtp-in.orange.fr'], ['smtp-in.wanadoo.fr']],
  }),
  provider({
    name: 'laposte',
    mx: ['laposte.net'],
    sessionsPerIp: 2,
    mailsPerSession: 100,
    since: { mx: A, sessionsPerIp: THIRD, mailsPerSession: A },
    sampleMx: [['smtp4.laposte.net']],
  }),
  provider({
    name: 'sfr',
    mx: ['sfr.fr'],
    sessionsPerIp: 2,
    mailsPerSession: 100,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['smtp-in.sfr.fr']],
  }),
  provider({
    name: 'free',
    mx: ['free.fr'],
    sessionsPerIp: 2,
    mailsPerSession: 20,
    rest: { sourceMs: 24 * HOUR_MS }, // a block there lasts up to a day, counted per IP
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A, rest: P },
    sampleMx: [['mx1.free.fr']],
  }),
  provider({
    name: 't-online',
    mx: ['t-online.de'],
    sessionsPerIp: 2,
    mailsPerSession: 50,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['mx00.t-online.de', 'mx01.t-online.de', 'mx02.t-online.de', 'mx03.t-online.de']],
  }),
  provider({
    name: 'gmx',
    mx: ['gmx.net', 'web.de', 'kundenserver.de'],
    sessionsPerIp: 4,
    mailsPerSession: 20,
    tls: 'required',
    rest: { busyMs: 30 * MINUTE_MS },
    since: { mx: KC, sessionsPerIp: KC, mailsPerSession: KC, tls: K, rest: KC },
    sampleMx: [
      ['mx00.gmx.net', 'mx01.gmx.net'],
      ['mx-ha02.web.de', 'mx-ha03.web.de'],
      ['mx00.kundenserver.de', 'mx01.kundenserver.de'],
    ],
  }),
  provider({
    name: 'kpn',
    mx: ['kpnmail.nl'],
    sessionsPerIp: 10,
    mailsPerSession: 10,
    since: { mx: A, sessionsPerIp: KC, mailsPerSession: KC },
    sampleMx: [['mx.kpnmail.nl']],
  }),
  small('bt', ['bt.com', 'btinternet.com', 'cpcloud.co.uk'], ['mx.bt.lon5.cpcloud.co.uk'], 'hosts'),
  small('virginmedia', ['virginmedia.com'], ['mx.virginmedia.com'], 'hosts'),
  small('sky', ['sky.com'], ['mx.sky.com'], 'hosts'),
  polish('wp-pl', ['wp.pl'], ['mx.wp.pl']),
  polish('onet', ['onet.pl'], ['mx.poczta.onet.pl']),
  small('interia', ['interia.pl'], ['mx.poczta.interia.pl']),
  small('libero', ['libero.it'], ['smtp-in.libero.it']),
  small('seznam', ['seznam.cz'], ['mx1.seznam.cz', 'mx2.seznam.cz']),
  small('telenet', ['telenet.be', 'telenet-ops.be'], ['mx.telenet.be']),
  provider({
    name: 'mailru',
    mx: ['mail.ru'],
    sessionsPerIp: 5,
    mailsPerSession: 50,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['mxs.mail.ru'], ['emx.mail.ru']],
  }),
  provider({
    name: 'yandex',
    mx: ['yandex.net', 'yandex.ru'],
    sessionsPerIp: 5,
    mailsPerSession: 20,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['mx.yandex.ru'], ['mx.yandex.net']],
  }),
]
