import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readReply } from '../../../../protocol/reply.ts'
import { type Stage, STAGES } from '../../../../protocol/words.ts'
import { compileRules } from '../../../../protocol/replies/compile.ts'
import { createJudge, judge } from './judge.ts'
import type { Verdict } from './verdict.ts'
import { walkVerdict } from './walk.ts'

const HOUR = 3_600_000

function heard(line: string, stage: Stage, provider: string | null = null, unknown: 'plain' | 'ambiguous' = 'plain'): Verdict {
  return judge({ reply: readReply(line), stage, provider, unknown })
}
const lost = (code: string, stage: Stage): Verdict => judge({ reply: null, fault: { code, message: '' }, stage, provider: null, unknown: 'plain' })

describe('a reply that no row knows follows its stage', () => {
  test.each([
    ['greeting', '554 zzz', 'deferred', 'host'],
    ['ehlo', '550 zzz', 'deferred', 'host'],
    ['starttls', '454 zzz', 'deferred', 'host'],
    ['mail', '450 zzz', 'deferred', 'source'],
    ['mail', '550 zzz', 'deferred', 'sender'],
    ['rcpt', '450 zzz', 'deferred', 'recipient'],
    ['rcpt', '550 zzz', 'bounced', 'recipient'],
    ['data', '554 zzz', 'bounced', 'content'],
    ['dot', '450 zzz', 'deferred', 'content'],
    ['dot', '554 zzz', 'bounced', 'content'],
    ['idle', '421 zzz', 'deferred', 'nobody'],
  ] as const)('%s %s', (stage, line, outcome, blames) => {
    expect(heard(line, stage)).toMatchObject({ outcome, blames, row: null, suppress: false })
  })
})

describe('text beats stage', () => {
  test('554-at-connect-bounces-nobody', () => {
    expect(heard('554 5.7.1 <x@example.com>: User unknown', 'greeting')).toMatchObject({ outcome: 'deferred', blames: 'host', suppress: false })
  })

  test('5xx-block-suppresses-nobody: S3150 is a 550 at RCPT', () => {
    const line =
      "550 5.7.1 Unfortunately, messages from [203.0.113.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150)."
    expect(heard(line, 'rcpt', 'outlook')).toMatchObject({
      outcome: 'deferred',
      class: 'blocked',
      blames: 'source',
      suppress: false,
      charged: false,
      permanent: true,
      needsPerson: true,
    })
    expect(heard(line, 'rcpt')).toMatchObject({ outcome: 'deferred', blames: 'source', suppress: false })
  })

  test('gmail-4.7.28-dkim-does-not-cool-the-ip', () => {
    expect(
      heard('421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your DKIM domain [acme.example 36].', 'dot', 'google'),
    ).toMatchObject({ blames: 'sender', charged: false })
    expect(
      heard('421 4.7.28 [203.0.113.7 15] Our system has detected an unusual rate of unsolicited mail originating from your IP address.', 'dot', 'google'),
    ).toMatchObject({ blames: 'source', threshold: { count: 2, perMs: HOUR } })
  })

  test('365-tenant-5.4.1-rests-the-tenant', () => {
    expect(heard('550 5.4.1 Recipient address rejected: Access denied. AS(201806281)', 'rcpt', 'office365')).toMatchObject({
      outcome: 'deferred',
      blames: 'domain',
      class: 'ambiguous-user',
      restMs: HOUR,
    })
  })

  test.each([
    ['yahoo-jp', "554 delivery error: dd This user doesn't have a yahoo.co.jp account (taro@yahoo.co.jp) [-5] - mta086.mail.bbt.yahoo.co.jp"],
    ['mailru', '550 Message was not accepted -- invalid mailbox.  Local mailbox taro@mail.ru is unavailable: user not found'],
  ])('unknown-user-after-dot-is-the-recipient (%s)', (provider, line) => {
    expect(heard(line, 'dot', provider)).toMatchObject({ outcome: 'bounced', blames: 'recipient', class: 'unknown-user', suppress: true })
  })

  test.each([
    '450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages',
    '450 4.2.1 too many messages, rate limit',
    '450 4.2.1 zzz',
  ])('4.2.1-slows-nobody-else: %s', (line) => {
    for (const provider of ['google', null])
      expect(heard(line, 'rcpt', provider)).toMatchObject({ outcome: 'deferred', blames: 'recipient', charged: true, restMs: null })
  })

  test('552-too-many-recipients-retries', () => {
    for (const provider of ['docomo', null])
      expect(heard('552 Too many recipients', 'rcpt', provider)).toMatchObject({ outcome: 'deferred', blames: 'nobody', charged: false })
  })

  test('docomo and au say "unknown" for the own filter of the user too, so it is worth less there', () => {
    expect(heard('550 Unknown user taro@docomo.ne.jp', 'rcpt', 'docomo')).toMatchObject({ outcome: 'bounced', class: 'ambiguous-user' })
    expect(heard('550 5.1.1 User unknown', 'rcpt', null, 'ambiguous')).toMatchObject({ outcome: 'bounced', class: 'ambiguous-user' })
  })

  test("a sender's trouble is not read as the recipient's", () => {
    for (const line of [
      '550 5.1.8 <news@acme.example>: Sender address rejected: undeliverable address: user unknown',
      '550 5.1.8 <news@acme.example>: Sender address rejected: User unknown in local recipient table',
    ]) {
      expect(heard(line, 'rcpt')).toMatchObject({ outcome: 'deferred', suppress: false })
    }
  })

  test('"recipient blocked" does not block our IP', () => {
    expect(heard('550 5.1.1 The recipient has been blocked for abuse', 'rcpt').blames).toBe('recipient')
  })

  test.each([
    ['450 4.7.1 <x@example.com>: Recipient address rejected: Greylisted for 7 minutes', 7],
    ['451 4.7.1 Greylisting in action, please come back in 00:04:30', 4.5],
    ['451 4.7.1 Greylisted, try again in 20 seconds', 1],
    ['451 4.7.1 Greylisted, try again in 8 hours', 60],
    ['451 4.7.1 Greylisted', null],
  ])('a greylist names its time: %s', (line, minutes) => {
    expect(heard(line, 'rcpt')).toMatchObject({
      class: 'greylisted',
      blames: 'nobody',
      charged: true,
      retryAfterMs: minutes === null ? null : minutes * 60_000,
    })
  })
})

describe('faults', () => {
  test.each([
    ['ECONNREFUSED', 'connect', 'unreachable', 'host'],
    ['ETIMEDOUT', 'connect', 'unreachable', 'host'],
    ['ECONNRESET', 'rcpt', 'unreachable', 'host'],
    ['EADDRNOTAVAIL', 'connect', 'unreachable', 'us'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'ehlo', 'tls', 'host'],
    ['ETIMEDOUT', 'dot', 'lost-dot', 'nobody'],
    ['ECONNRESET', 'data', 'unreachable', 'host'],
    ['ECONNRESET', 'idle', 'session-end', 'nobody'],
    ['SERVFAIL', 'connect', 'dns', 'domain'],
    ['LEASE_END', 'rcpt', 'lease-end', 'nobody'],
  ] as const)('%s at %s', (code, stage, replyClass, blames) => {
    expect(lost(code, stage)).toMatchObject({ outcome: 'deferred', class: replyClass, blames, suppress: false })
  })

  test('a domain without mail ends at once', () => {
    expect(lost('NXDOMAIN', 'connect')).toMatchObject({ outcome: 'bounced', class: 'no-such-domain', blames: 'domain' })
    expect(lost('NULL_MX', 'connect')).toMatchObject({ outcome: 'bounced', class: 'null-mx', blames: 'domain' })
  })

  test('all hosts 521 is the domain, all hosts refusing is the site, one host is one host', () => {
    const no = heard('521 mx.example.com does not accept mail', 'greeting')
    const down = lost('ECONNREFUSED', 'connect')
    expect(walkVerdict([no, no])).toMatchObject({ outcome: 'bounced', blames: 'domain', class: 'null-mx' })
    expect(walkVerdict([down, down])).toMatchObject({ outcome: 'deferred', blames: 'site', class: 'unreachable' })
    expect(walkVerdict([down, heard('421 Too many connections', 'greeting')])).toMatchObject({ class: 'too-many-connections' })
  })
})

test('whatever is heard, the verdict keeps the laws of delivery.md §3', () => {
  const words = [
    'user',
    'unknown',
    'blocked',
    'your',
    'ip',
    'spam',
    'mailbox',
    'full',
    'too many',
    'connections',
    'rate limit',
    'sender',
    'spf',
    'denied',
    'greylisted',
    'tls',
    'x',
  ]
  fc.assert(
    fc.property(
      fc.record({
        code: fc.integer({ min: 200, max: 599 }),
        enhanced: fc.option(fc.constantFrom('4.2.1', '4.7.1', '5.1.1', '5.7.1', '5.2.2', '4.2.2', '5.4.1')),
        text: fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((list) => list.join(' ')),
        stage: fc.constantFrom(...STAGES),
        provider: fc.constantFrom(null, 'google', 'outlook', 'office365', 'docomo', 'yahoo-jp', 'gmx', 'qq'),
      }),
      ({ stage, provider, ...reply }) => {
        const verdict = judge({ reply, stage, provider, unknown: 'plain' })
        if (stage !== 'rcpt' && stage !== 'data' && stage !== 'dot') expect(verdict.outcome).toBe('deferred')
        if (verdict.outcome === 'bounced') expect(['recipient', 'domain', 'content', 'us']).toContain(verdict.blames)
        if (verdict.outcome === 'delivered') expect([stage, reply.code < 300]).toEqual(['dot', true])
        if (verdict.suppress) expect(verdict.row).not.toBeNull()
        if (verdict.row === null) expect(verdict.suppress).toBe(false)
        if (verdict.blames === 'source' || verdict.blames === 'sender' || verdict.blames === 'site') expect(verdict.charged).toBe(false)
      },
    ),
    { numRuns: 2_000 },
  )
})

describe("the fleet's own rows", () => {
  const row = {
    id: 'acme/busy',
    providers: ['google'],
    seen: '452 4.2.2 acme says wait',
    text: 'acme says wait',
    class: 'site-busy',
    blames: 'site',
    rest: '10m',
    threshold: { count: 3, per: '1h' },
  }

  test('come before the built-in ones, for their providers only', () => {
    const own = createJudge([row])
    const ask = (provider: string | null) => own({ reply: readReply('452 4.2.2 ACME says wait'), stage: 'rcpt', provider, unknown: 'plain' })
    expect(ask('google')).toMatchObject({ row: 'acme/busy', blames: 'site', restMs: 600_000, threshold: { count: 3, perMs: HOUR } })
    expect(ask(null)).toMatchObject({ class: 'mailbox-full' })
  })

  test.each([
    ['an unknown key', { ...row, colour: 'red' }, 'rule[0]'],
    ['an endless repetition', { ...row, text: 'acme .* wait' }, 'rule[0].text'],
    ['a repetition of a repetition', { ...row, text: '(a{1,9}){1,9}cme' }, 'rule[0].text'],
    ['a broken expression', { ...row, text: '(acme' }, 'rule[0].text'],
    ['no condition at all', { ...row, text: undefined }, 'rule[0].text'],
    ['a sample that it does not catch', { ...row, seen: '452 4.2.2 something else' }, 'rule[0].seen'],
    ['a sample that is no reply', { ...row, seen: 'acme says wait' }, 'rule[0].seen'],
    ['a class that does not exist', { ...row, class: 'angry' }, 'rule[0].class'],
  ])('are refused with %s', (_, bad, path) => {
    expect(compileRules([bad]).problems.map((problem) => problem.path)).toContain(path)
  })

  test('are refused when an earlier one shadows them, or has their name', () => {
    const wide = { ...row, id: 'acme/wide', text: 'acme' }
    expect(compileRules([wide, row]).problems).toMatchObject([{ path: 'rule[1].seen' }])
    expect(compileRules([row, { ...row, seen: '452 acme says wait', text: 'acme' }]).problems.map((problem) => problem.path)).toContain('rule[1].id')
  })
})
