import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededDice } from '../dice.ts'
import { receive } from './conversation.ts'
import type { SmtpEvent } from './event.ts'
import { openIsp } from './isp.ts'
import { PROVIDERS } from './isps.ts'
import { tail } from './tail.ts'
import { openTalk, rowWith } from './talk.testkit.ts'

describe('the plain server under every ISP', () => {
  it('takes a mail and keeps it with its Message-ID and recipients', () => {
    const talk = openTalk(rowWith())
    expect(talk.session().send('ok', '<1@x>')).toEqual([250, 250, 354, 250])
    expect(talk.stored).toEqual([{ messageId: '<1@x>', from: 'return@sender.example', rcpts: ['ok@test.example'], sizeBytes: 1000, source: '192.0.2.1' }])
  })

  it('answers 503 to commands out of order', () => {
    const talk = openTalk(rowWith())
    const session = talk.session()
    expect(session.rcpt('ok')).toBe(503)
    expect(session.data()).toBe(503)
    session.mail()
    expect(session.mail()).toBe(503)
  })

  it('says 554 to DATA when every recipient was refused, and stores nothing', () => {
    const talk = openTalk(rowWith())
    const session = talk.session()
    session.mail()
    session.rcpt('taro@elsewhere.example')
    expect(session.data()).toBe(554)
    expect(talk.stored).toEqual([])
  })

  it('forgets the envelope at RSET and after STARTTLS', () => {
    const talk = openTalk(rowWith())
    const session = talk.session()
    session.mail()
    session.on('rset')
    expect(session.rcpt('ok')).toBe(503)
    expect(session.on('starttls')).toBe(220)
    session.on('tls')
    expect(session.mail()).toBe(503)
  })

  it('no longer counts a session that said QUIT, whose FIN is still on the way', () => {
    const talk = openTalk(rowWith())
    const session = talk.session()
    expect(talk.isp.open.get('192.0.2.1')).toBe(1)
    session.on('quit')
    expect(talk.isp.open.size).toBe(0)
    session.on('closed')
    expect(talk.isp.open.size).toBe(0)
  })
})

const locals = fc.constantFrom('taro', 'ok', 'unknown', 'full', 'defer-451-x1', 'refuse-550', 'drop-in-data', 'silent', 'grey-1s', 'meet-session-cap')
const session = fc.integer({ min: 1, max: 4 })
const arrived = fc.constantFrom('alone' as const, 'piped' as const, 'behind-dot' as const)

describe('any ISP, whatever it hears', () => {
  for (const row of [...PROVIDERS, ...tail()]) {
    const domain = row.domains[0]?.domain ?? ''
    const event: fc.Arbitrary<SmtpEvent> = fc.oneof(
      fc.record({ on: fc.constant('connect' as const), session, source: fc.constantFrom('192.0.2.1', '192.0.2.2'), host: fc.constant('mx') }),
      fc.record({ on: fc.constantFrom('starttls' as const, 'tls' as const, 'rset' as const, 'quit' as const, 'closed' as const, 'idle' as const), session }),
      fc.record({ on: fc.constant('ehlo' as const), session, name: fc.constant('x') }),
      { weight: 4, arbitrary: fc.record({ on: fc.constant('mail' as const), session, from: fc.constant('a@b.example'), sizeBytes: fc.nat(100), arrived }) },
      { weight: 4, arbitrary: fc.record({ on: fc.constant('rcpt' as const), session, to: locals.map((local) => `${local}@${domain}`), arrived }) },
      { weight: 4, arbitrary: fc.record({ on: fc.constant('data' as const), session, arrived }) },
      { weight: 4, arbitrary: fc.record({ on: fc.constant('dot' as const), session, messageId: fc.constant('<m>'), sizeBytes: fc.nat(100) }) },
    )
    /** a session that is open is not opened again, as with real sockets */
    const run = (events: readonly (readonly [SmtpEvent, number])[]): readonly unknown[] => {
      const isp = openIsp(row)
      const dice = seededDice(7)
      let now = 0
      return events.map(([one, laterMs]) => {
        now += laterMs
        if (one.on === 'connect' && isp.sessions.has(one.session)) return 'open'
        const { answer, waitMs, stored } = receive(isp, one, { now, dice })
        const bySource = new Map<string, number>()
        for (const { source } of isp.sessions.values()) bySource.set(source, (bySource.get(source) ?? 0) + 1)
        expect(isp.open).toEqual(bySource)
        if (stored !== null) expect(stored.rcpts.length).toBeGreaterThan(0)
        return [answer.reply?.wire, answer.then, waitMs, stored]
      })
    }
    it(`${row.name}: counts its sessions right, stores no mail without a recipient, says the same again when replayed`, () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(event, fc.nat(700)), { maxLength: 60 }), (events) => {
          expect(run(events)).toEqual(run(events))
        }),
        { numRuns: 15 },
      )
    })
  }
})
