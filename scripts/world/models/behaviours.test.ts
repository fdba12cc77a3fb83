import { describe, expect, it } from 'vitest'
import { aheadAccepted, aheadRefused, dataRegardless, dropInData, silenceAfterDot, slowDot } from './body.ts'
import { dropAtConnect, greetingRefused, noPipelining, noTls, slowGreeting, tlsBroken, tlsOffered, tlsRequired } from './connecting.ts'
import { greylist } from './greylist.ts'
import { connectRate, mailRate, mailsPerSession, rcptsPerMail, refusedPerSession, sessionCap, silentClose, sizeLimit, tarpit } from './limits.ts'
import { mailboxFull, reputation, sessionRcptTrap, unknownAfterDot, unknownUser } from './recipients.ts'
import { reply } from './reply.ts'
import { openTalk, rowWith } from './talk.testkit.ts'

const times = <T>(n: number, make: (k: number) => T): readonly T[] => Array.from({ length: n }, (_, k) => make(k))

describe('limits', () => {
  it('session-cap: the session above the cap gets 421, as an excess, and another source is not touched', () => {
    const talk = openTalk(rowWith(sessionCap(2)))
    expect(times(3, () => talk.session().greeting)).toEqual([220, 220, 421])
    expect(talk.session('192.0.2.2').greeting).toBe(220)
  })

  it('session-cap: a session that ended makes room', () => {
    const talk = openTalk(rowWith(sessionCap(1)))
    const first = talk.session()
    expect(talk.session().opened.answer.excess).toBe(true)
    first.on('quit')
    expect(talk.session().greeting).toBe(220)
  })

  it('connect-rate: refuses beyond the rate and takes again when the window has moved on', () => {
    const talk = openTalk(rowWith(connectRate({ connects: 2, overMs: 1000 })))
    expect(times(3, () => talk.session().greeting)).toEqual([220, 220, 421])
    talk.clock.now += 1000
    expect(talk.session().greeting).toBe(220)
  })

  it('mail-rate: what was refused does not count against the source', () => {
    const talk = openTalk(rowWith(mailRate({ mails: 2, overMs: 1000 })))
    const session = talk.session()
    expect(times(4, () => session.send('ok')[0])).toEqual([250, 250, 451, 451])
    talk.clock.now += 1000
    expect(times(3, () => session.send('ok')[0])).toEqual([250, 250, 451])
  })

  it('mails-per-session: 421 to the mail above the cap', () => {
    const talk = openTalk(rowWith(mailsPerSession(2)))
    const session = talk.session()
    expect(times(3, () => session.send('ok')[0])).toEqual([250, 250, 421])
  })

  it('silent-close: the last mail is taken and the session is closed behind it without a word', () => {
    const talk = openTalk(rowWith(silentClose(2)))
    const session = talk.session()
    session.send('ok', '<1>')
    session.mail()
    session.rcpt('ok')
    session.data()
    const last = talk.hear({ on: 'dot', session: session.id, messageId: '<2>', sizeBytes: 1 })
    expect([last.answer.reply?.code, last.answer.then]).toEqual([250, 'close'])
    expect(talk.stored).toHaveLength(2)
    expect(talk.isp.sessions.size).toBe(0)
  })

  it('rcpts-per-mail: 452 to the rest, and the next transaction starts anew', () => {
    const talk = openTalk(rowWith(rcptsPerMail(2)))
    const session = talk.session()
    session.mail()
    expect(times(3, (k) => session.rcpt(`ok+${k}`))).toEqual([250, 250, 452])
    session.data()
    session.dot('<1>')
    session.mail()
    expect(session.rcpt('ok')).toBe(250)
  })

  it('refused-per-session: cuts with 421 after too many refusals', () => {
    const talk = openTalk(rowWith(refusedPerSession(2), unknownUser()))
    const session = talk.session()
    session.mail()
    expect(times(3, () => session.rcpt('unknown'))).toEqual([550, 550, 421])
  })

  it('tarpit: replies become slow after some refusals', () => {
    const talk = openTalk(rowWith(tarpit({ afterRefused: 1, waitMs: 500 }), unknownUser()))
    const session = talk.session()
    session.mail()
    const waits = times(2, () => talk.hear({ on: 'rcpt', session: session.id, to: 'unknown@test.example', arrived: 'alone' }).waitMs)
    expect(waits).toEqual([0, 500])
  })

  it('size-limit: 552 to a mail that announces too much', () => {
    const talk = openTalk(rowWith(sizeLimit(100)))
    expect(talk.session().mail('alone', 101)).toBe(552)
    expect(talk.session().mail('alone', 100)).toBe(250)
  })
})

describe('connecting', () => {
  it('greeting-refused: so many 554 per source, then welcome', () => {
    const talk = openTalk(rowWith(greetingRefused(1)))
    expect(times(2, () => talk.session().greeting)).toEqual([554, 220])
    expect(talk.session('192.0.2.9').greeting).toBe(554)
  })

  it('slow-greeting: the greeting takes its time', () => {
    expect(openTalk(rowWith(slowGreeting(200))).session().opened.waitMs).toBe(200)
  })

  it('drop-at-connect: the first and every third connect after it is reset', () => {
    const talk = openTalk(rowWith(dropAtConnect(3)))
    expect(times(4, () => talk.session().greeting)).toEqual(['reset', 220, 220, 'reset'])
  })

  it('tls: is met by a handshake, tls-required: 530 without one, tls-broken: garbage instead of one', () => {
    const talk = openTalk(rowWith(tlsOffered(), tlsRequired()))
    const session = talk.session()
    expect(session.mail()).toBe(530)
    expect(session.on('starttls')).toBe(220)
    expect(talk.hear({ on: 'tls', session: session.id }).met).toEqual(['tls'])
    talk.hear({ on: 'ehlo', session: session.id, name: 'x' })
    expect(session.mail()).toBe(250)
    const broken = openTalk(rowWith(tlsBroken()))
    expect(broken.hear({ on: 'starttls', session: broken.session().id }).answer.then).toBe('break-tls')
  })

  it('no-tls: STARTTLS is unknown where it was not offered', () => {
    const talk = openTalk({ ...rowWith(noTls()), ehlo: [] })
    expect(talk.session().on('starttls')).toBe(500)
  })

  it('no-pipelining: a command that came before our reply is improper', () => {
    const talk = openTalk(rowWith(noPipelining()))
    const session = talk.session()
    session.mail()
    expect(session.rcpt('ok')).toBe(250)
    expect(session.rcpt('ok+1', 'piped')).toBe(554)
  })
})

describe('recipients', () => {
  it('greylist: early is 450, later from the same /24 is known, another triplet is not', () => {
    const talk = openTalk(rowWith(greylist(2000)))
    const from = (source: string) => talk.session(source).send('taro')[1]
    expect(from('192.0.2.1')).toBe(450)
    talk.clock.now += 1999
    expect(from('192.0.2.1')).toBe(450)
    talk.clock.now += 1
    expect(from('192.0.2.77')).toBe(250)
    expect(from('198.51.100.1')).toBe(450)
    expect(talk.session('192.0.2.1').send('jiro')[1]).toBe(450)
  })

  it('greylist: an address word overrides it', () => {
    expect(
      openTalk(rowWith(greylist(2000)))
        .session()
        .send('ok'),
    ).toEqual([250, 250, 354, 250])
  })

  it('unknown-user: at RCPT, or only after the dot', () => {
    expect(openTalk(rowWith(unknownUser())).session().send('unknown')).toEqual([250, 550])
    const late = openTalk(rowWith(unknownAfterDot(reply(554, null, 'no account'))))
    expect(late.session().send('unknown')).toEqual([250, 250, 354, 554])
    expect(late.stored).toEqual([])
  })

  it('mailbox-full: as the ISP says it', () => {
    expect(
      openTalk(rowWith(mailboxFull('rcpt')))
        .session()
        .send('full'),
    ).toEqual([250, 452])
    expect(
      openTalk(rowWith(mailboxFull('dot', reply(552, null, 'Too much mail data'))))
        .session()
        .send('full'),
    ).toEqual([250, 250, 354, 552])
  })

  it.each([421, 550])('reputation: too many unknown users block the source with %i, for a while', (blocks) => {
    const talk = openTalk(rowWith(unknownUser(), reputation({ unknowns: 2, overMs: 1000, blockMs: 5000, says: reply(blocks, null, 'blocked') })))
    const session = talk.session()
    times(3, () => session.send('unknown'))
    expect(session.send('ok')).toEqual([blocks])
    expect(talk.session().greeting).toBe(blocks)
    expect(talk.session('192.0.2.2').greeting).toBe(220)
    talk.clock.now += 5000
    expect(talk.session().greeting).toBe(220)
  })

  it('reputation: counts unknown users that showed only after the dot', () => {
    const talk = openTalk(
      rowWith(unknownAfterDot(reply(554, null, 'no account')), reputation({ unknowns: 0, overMs: 1000, blockMs: 5000, says: reply(421, null, 'blocked') })),
    )
    talk.session().send('unknown')
    expect(talk.session().greeting).toBe(421)
  })

  it('session-rcpt-trap: the recipient above the cap gets 554 and all that the session delivered is thrown away', () => {
    const talk = openTalk(rowWith(sessionRcptTrap(3, reply(554, null, 'too many'))))
    const other = talk.session()
    other.send('ok', '<other>')
    const session = talk.session()
    for (const id of ['<1>', '<2>', '<3>']) session.send('ok', id)
    expect(talk.voided).toEqual([])
    expect(session.send('ok', '<4>')).toEqual([250, 554])
    expect(talk.voided.map(({ messageId }) => messageId)).toEqual(['<1>', '<2>', '<3>'])
    expect(session.send('ok', '<5>')).toEqual([250, 554])
    expect(talk.voided).toHaveLength(3)
  })

  it('session-rcpt-trap: a new session starts at nothing', () => {
    const talk = openTalk(rowWith(sessionRcptTrap(1, reply(554, null, 'too many'))))
    for (const id of ['<1>', '<2>', '<3>']) {
      const session = talk.session()
      expect(session.send('ok', id)[3]).toBe(250)
      session.on('quit')
    }
    expect(talk.voided).toEqual([])
  })
})

describe('body', () => {
  it('drop-in-data: exactly one in each run is cut, the dice say which', () => {
    const talk = openTalk(rowWith(dropInData(4)), () => 0.5)
    const session = talk.session()
    const cut = times(8, () => {
      session.mail()
      session.rcpt('taro')
      const { answer } = talk.hear({ on: 'data', session: session.id, arrived: 'alone' })
      session.on('rset')
      return answer.then === 'cut-in-body'
    })
    expect(cut).toEqual([false, false, true, false, false, false, true, false])
  })

  it('silence-after-dot: the mail is stored, nothing is said, the line is cut later', () => {
    const talk = openTalk(rowWith(silenceAfterDot(1, 1000)))
    const session = talk.session()
    session.mail()
    session.rcpt('taro')
    session.data()
    const { answer, waitMs } = talk.hear({ on: 'dot', session: session.id, messageId: '<1>', sizeBytes: 1 })
    expect([answer.reply, answer.then, waitMs]).toEqual([null, 'cut', 1000])
    expect(talk.stored).toHaveLength(1)
  })

  it('slow-dot: the reply to the dot takes its time', () => {
    const talk = openTalk(rowWith(slowDot(150)))
    const session = talk.session()
    session.mail()
    session.rcpt('taro')
    session.data()
    expect(talk.hear({ on: 'dot', session: session.id, messageId: '<1>', sizeBytes: 1 }).waitMs).toBe(150)
  })

  it('ahead-refused: an envelope behind the dot is answered 503 command by command; ahead-accepted: it is taken', () => {
    const refusing = openTalk(rowWith(aheadRefused())).session()
    expect(refusing.mail('behind-dot')).toBe(503)
    expect(refusing.rcpt('ok', 'behind-dot')).toBe(503)
    expect(refusing.data('behind-dot')).toBe(503)
    expect(refusing.mail('piped')).toBe(250)
    expect(openTalk(rowWith(aheadAccepted())).session().mail('behind-dot')).toBe(250)
  })

  it('data-regardless: 354 although every recipient was refused; the lone dot delivers nothing', () => {
    const talk = openTalk(rowWith(dataRegardless(), unknownUser()))
    const session = talk.session()
    session.mail()
    session.rcpt('unknown')
    expect(session.data()).toBe(354)
    expect(session.dot('')).toBe(554)
    expect(talk.stored).toEqual([])
  })
})
