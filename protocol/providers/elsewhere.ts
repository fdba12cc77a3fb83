import { HOUR_MS, provider } from './row.ts'
import { A, K, KC, P } from './sources.ts'

/** Mailbox providers of America and Asia outside Japan. */
export const ELSEWHERE = [
  provider({
    name: 'mail-com',
    mx: ['mail.com'],
    sessionsPerIp: 4,
    mailsPerSession: 100,
    since: { mx: K, sessionsPerIp: A, mailsPerSession: K },
    sampleMx: [['mx00.mail.com', 'mx01.mail.com']],
  }),
  provider({
    name: 'comcast',
    mx: ['comcast.net'], // its mailboxes move to Yahoo through 2026: by MX only, as all rows
    sessionsPerIp: 25,
    mailsPerSession: 1_000,
    complaints: 'arf',
    since: { mx: K, sessionsPerIp: K, mailsPerSession: K, complaints: A },
    sampleMx: [['mx1.mxge.comcast.net', 'mx2.mxge.comcast.net']],
  }),
  provider({
    name: 'uol',
    mx: ['uol.com.br'],
    sessionsPerIp: 5,
    mailsPerSession: 20,
    unknownMax: 0.1,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A, unknownMax: P },
    sampleMx: [['mx.uol.com.br']],
  }),
  provider({
    name: 'terra',
    mx: ['terra.com.br', 'terra.com'],
    sessionsPerIp: 2,
    mailsPerSession: 20,
    unknownMax: 0.1,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A, unknownMax: P },
    sampleMx: [['mx.terra.com.br']],
  }),
  provider({
    name: 'rediff',
    mx: ['rediffmail.com', 'rediff.akadns.net'],
    sessionsPerIp: 2,
    mailsPerSession: 20,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['mx.rediffmail.rediff.akadns.net']],
  }),
  provider({
    name: 'netvigator',
    mx: ['netvigator.com'],
    sessionsPerIp: 5,
    mailsPerSession: 10,
    since: { mx: A, sessionsPerIp: KC, mailsPerSession: KC },
    sampleMx: [['mx.netvigator.com']],
  }),
  provider({
    name: 'naver',
    mx: ['naver.com'],
    sessionsPerIp: 2,
    mailsPerSession: 20,
    since: { mx: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [['mx1.naver.com', 'mx2.naver.com', 'mx3.naver.com']],
  }),
  provider({
    name: 'qq',
    mx: ['qq.com'],
    sessionsPerIp: 4,
    mailsPerSession: 8,
    tls: 'required',
    rest: { sourceMs: HOUR_MS },
    since: { mx: KC, sessionsPerIp: KC, mailsPerSession: KC, tls: KC, rest: KC },
    sampleMx: [['mx3.qq.com'], ['mxbiz1.qq.com']],
  }),
  provider({
    name: '163',
    mx: ['netease.com'],
    sessionsPerIp: 4,
    mailsPerSession: 7,
    since: { mx: KC, sessionsPerIp: KC, mailsPerSession: KC },
    sampleMx: [['163mx01.mxmail.netease.com', '163mx02.mxmail.netease.com', '163mx03.mxmail.netease.com'], ['qiye163mx01.mxmail.netease.com']],
  }),
]
