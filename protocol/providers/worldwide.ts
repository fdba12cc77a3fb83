import { HOUR_MS, MINUTE_MS, provider } from './row.ts'
import { A, K, KC, P, THIRD } from './sources.ts'

/** The mailbox providers that most lists are made of. */
export const WORLDWIDE = [
  provider({
    name: 'google',
    mx: ['google.com', 'googlemail.com'],
    sessionsPerIp: 5,
    mailsPerSession: 50,
    tls: 'required',
    complaints: 'aggregate', // a daily share by Feedback-ID, nothing live
    since: { mx: K, sessionsPerIp: K, mailsPerSession: K, tls: K, complaints: P },
    sampleMx: [['gmail-smtp-in.l.google.com'], ['aspmx.l.google.com'], ['smtp.google.com'], ['aspmx2.googlemail.com', 'aspmx3.googlemail.com']],
  }),
  provider({
    name: 'outlook',
    mx: ['olc.protection.outlook.com'],
    sessionsPerIp: 5,
    mailsPerSession: 50,
    quotes: 'never',
    complaints: 'arf',
    since: { mx: K, sessionsPerIp: K, mailsPerSession: K, quotes: THIRD, complaints: A },
    sampleMx: [['hotmail-com.olc.protection.outlook.com'], ['outlook-com.olc.protection.outlook.com']],
  }),
  provider({
    name: 'office365',
    mx: ['mail.protection.outlook.com', 'mx.microsoft'],
    sessionsPerIp: { start: 5, max: 20 },
    mailsPerSession: 50,
    since: { mx: K, sessionsPerIp: A, mailsPerSession: K },
    sampleMx: [['contoso-com.mail.protection.outlook.com'], ['contoso-com.k-v1.mx.microsoft']],
  }),
  provider({
    name: 'yahoo',
    mx: ['yahoodns.net'],
    sessionsPerIp: 10,
    mailsPerSession: 20, // the 21st is met by a silent close
    hourlyStart: 100,
    complaints: 'arf',
    rest: { sourceMs: 2 * HOUR_MS },
    since: { mx: K, sessionsPerIp: A, mailsPerSession: P, hourlyStart: THIRD, complaints: P, rest: K },
    sampleMx: [['mta5.am0.yahoodns.net', 'mta6.am0.yahoodns.net', 'mta7.am0.yahoodns.net'], ['mx-aol.mail.gm0.yahoodns.net'], ['mx-eu.mail.am0.yahoodns.net']],
  }),
  provider({
    name: 'apple',
    mx: ['icloud.com'],
    reputation: 'proofpoint',
    sessionsPerIp: 10,
    mailsPerSession: 5,
    rest: { sourceMs: 15 * MINUTE_MS },
    since: { mx: K, reputation: K, sessionsPerIp: K, mailsPerSession: K, rest: KC },
    sampleMx: [['mx01.mail.icloud.com', 'mx02.mail.icloud.com']],
  }),
]
