import { describe, expect, test } from 'vitest'
import { verdictFor } from './transaction.ts'
import { PATIENT, codes, envelope, mail, opened } from './testing/client.ts'
import { serve, startPeer, type Rule } from './testing/peer.ts'
import { InvariantBroken } from '../../runtime/errors.ts'

const PIPELINING = ['PIPELINING']
const peerThat = (rule: Rule, keywords: readonly string[] = PIPELINING) => startPeer((talk) => serve(talk, keywords, rule))
/** RCPTs are refused by their local part. */
const byAddress: Rule = (command) => (/^RCPT TO:<(\d{3})@/.test(command) ? `${/\d{3}/.exec(command)![0]} no` : undefined)

describe('a transaction', () => {
  test('goes on with the recipients that were accepted', async () => {
    await using peer = await peerThat(byAddress)
    await using session = await opened(peer)
    const sent = await session.transact(mail({ rcpts: ['550@a.example', 'taro@a.example', '452@a.example'] }), null)
    expect(codes(sent)).toBe('250 | 550,250,452 | 354 | 250')
    expect(sent).toMatchObject({ lost: null, usable: true })
    expect(session.counts).toEqual({ mails: 1, rcpts: 3, refused: 2 })
    expect(peer.heard).not.toContain('RSET')
  })

  test('without PIPELINING says one command at a time, and no DATA to nobody', async () => {
    await using peer = await peerThat(byAddress, [])
    await using session = await opened(peer)
    expect(codes(await session.transact(mail({ rcpts: ['550@a.example', 'a@a.example'] }), envelope()))).toBe('250 | 550,250 | 354 | 250')
    expect(session.announced).toBeNull()
    expect(codes(await session.transact(mail({ rcpts: ['550@a.example'] }), null))).toBe('250 | 550 | - | -')
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(peer.heard.filter((line) => line === 'DATA')).toHaveLength(2)
    expect(peer.heard.filter((line) => line === 'RSET')).toHaveLength(1)
  })

  test('with every RCPT refused and 354 all the same ends with a lone dot, needs no RSET, and the next goes its way', async () => {
    await using peer = await peerThat(byAddress)
    await using session = await opened(peer)
    expect(codes(await session.transact(mail({ rcpts: ['550@a.example', '451@a.example'] }), envelope()))).toBe('250 | 550,451 | 354 | -')
    expect(session.announced).toBeNull()
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(peer.heard.filter((line) => line === '.' || line === 'RSET')).toEqual(['.', '.'])
  })

  test('with DATA refused is followed by RSET, and no byte of the body', async () => {
    let datas = 0
    await using peer = await peerThat((command) => (command === 'DATA' && ++datas === 1 ? '451 4.3.0 not now' : undefined))
    await using session = await opened(peer)
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 451 | -')
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    const rset = peer.heard.indexOf('RSET')
    expect(peer.heard.slice(0, rset)).not.toContain('Subject: hello')
    expect(peer.heard.slice(rset + 1)).toContain('Subject: hello')
  })

  test('with MAIL refused and 503 for the rest leaves the session as it was', async () => {
    let mails = 0
    await using peer = await peerThat((command) => {
      if (command.startsWith('MAIL')) return ++mails === 1 ? '451 4.7.1 later' : undefined
      return mails === 1 && command !== 'DOT' ? (command.startsWith('EHLO') || command === 'CONNECT' ? undefined : '503 5.5.1 MAIL first') : undefined
    })
    await using session = await opened(peer)
    const refused = await session.transact(mail(), null)
    expect(codes(refused)).toBe('451 | 503 | 503 | -')
    expect(verdictFor(refused, 0)).toMatchObject({ stage: 'mail', reply: { code: 451 } })
    expect(session.counts.refused).toBe(0)
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(peer.heard).not.toContain('RSET')
  })

  test('that the peer cannot take is told apart, and nothing is written', async () => {
    await using peer = await peerThat(() => undefined, ['PIPELINING', 'SIZE 100'])
    await using session = await opened(peer)
    expect(await session.transact(mail({ size: 101 }), null)).toMatchObject({ unfit: 'size', lost: null, usable: true })
    expect(await session.transact(mail({ smtputf8: true }), null)).toMatchObject({ unfit: 'smtputf8', usable: true })
    expect(codes(await session.transact(mail({ size: 100 }), envelope({ size: 101 })))).toBe('250 | 250 | 354 | 250')
    expect(session.announced).toBeNull()
    expect(peer.heard.filter((line) => line.startsWith('MAIL'))).toEqual(['MAIL FROM:<news@acme.example> SIZE=100'])
  })

  test('that is our own bug throws before a byte is written, and the session stays as it was', async () => {
    await using peer = await peerThat(() => undefined)
    await using session = await opened(peer)
    for (const bad of [
      mail({ body: Buffer.from('no end') }),
      mail({ body: [] }),
      mail({ rcpts: [] }),
      mail({ rcpts: ['a@b\r\nRSET'] }),
      mail({ from: 'é@b.example' }),
    ]) {
      expect(() => session.transact(bad, null)).toThrow(InvariantBroken)
    }
    expect(() => session.transact(mail(), envelope({ rcpts: ['a@b\r\nRSET'] }))).toThrow(InvariantBroken)
    const first = session.transact(mail(), envelope())
    expect(() => session.transact(mail(), null)).toThrow(InvariantBroken)
    expect(() => session.quit()).toThrow(InvariantBroken)
    await first
    expect(() => session.transact(mail({ rcpts: ['another@example.jp'] }), null)).toThrow(InvariantBroken)
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(peer.heard.filter((line) => line.startsWith('MAIL'))).toHaveLength(2)
  })
})

describe('LMTP', () => {
  test('gives each accepted recipient its own answer to the dot, across mails', async () => {
    const accepted = ['250 one', '452 4.2.2 two is full']
    await using peer = await peerThat((command) => (command === 'DOT' ? accepted.join('\r\n') : byAddress(command, null as never)))
    await using session = await opened(peer, { protocol: 'lmtp' })
    const three = { rcpts: ['one@a.example', '550@a.example', 'two@a.example'] }
    const sent = await session.transact(mail(three), envelope(three))
    expect(codes(sent)).toBe('250 | 250,550,250 | 354 | 250,452')
    expect(codes(await session.transact(mail(three), null))).toBe('250 | 250,550,250 | 354 | 250,452')
  })
})

describe('a session between two mails', () => {
  test.each([
    ['421 4.4.2 idle too long', { because: 'reply', stage: 'idle', reply: { code: 421, enhanced: '4.4.2', text: 'idle too long' } }],
    ['250 2.0.0 why this?', { because: 'reply', stage: 'idle', reply: { code: 250 } }],
    ['nonsense', { because: 'fault', stage: 'idle', fault: { code: 'EPROTOCOL' } }],
    [null, { because: 'closed', stage: 'idle', reply: null, fault: { code: 'ECLOSED' } }],
  ])('ends by %j', async (words, end) => {
    await using peer = await peerThat((command, talk) => {
      if (command !== 'DOT') return undefined
      setImmediate(() => (words === null ? talk.hangUp() : talk.say(words)))
      return undefined
    })
    await using session = await opened(peer)
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
    expect(await session.over).toMatchObject(end)
    expect(session.usable).toBe(false)
    expect(await session.transact(mail(), null)).toMatchObject({ usable: false, lost: { stage: 'idle', bodySent: 'none' } })
  })

  test('is ended by QUIT when nothing comes, with the 221 awaited by nobody', async () => {
    await using peer = await peerThat(() => undefined)
    await using session = await opened(peer, { timeouts: { ...PATIENT, idleMs: 40 } })
    await session.transact(mail(), null)
    expect(session.idleSinceMs).toBeGreaterThan(0)
    expect(await session.over).toMatchObject({ because: 'idle', stage: 'idle', fault: null })
    expect(peer.heard.at(-1)).toBe('QUIT')
  })

  test('quits once, even with a peer that never closes; close after it changes nothing', async () => {
    await using peer = await peerThat((command) => (command === 'QUIT' ? '' : undefined))
    await using session = await opened(peer, { timeouts: { ...PATIENT, quitMs: 40 } })
    session.quit()
    session.quit()
    expect(await session.over).toMatchObject({ because: 'quit' })
    session.close()
    session.close()
    expect(peer.heard.filter((line) => line === 'QUIT')).toHaveLength(1)
  })

  test('waits for the close of a peer that hears QUIT and keeps the line, but not long, and not at all once told to close', async () => {
    for (const [quitMs, thenClose] of [
      [40, false],
      [60_000, true],
    ] as const) {
      await using peer = await peerThat((command, talk) => {
        if (command === 'QUIT') talk.socket.pause() // its FIN stays unread
        return command === 'QUIT' ? '' : undefined
      })
      await using session = await opened(peer, { timeouts: { ...PATIENT, quitMs } })
      session.quit()
      if (thenClose) session.close()
      expect(await session.over).toMatchObject({ because: 'quit' })
    }
  })

  test('does not outlive a RSET that is never answered; the waiting mail is lost at no cost', async () => {
    await using peer = await peerThat((command) =>
      command === 'RSET' ? '' : (byAddress(command === 'DATA' ? '' : command, null as never) ?? (command === 'DATA' ? '554 no' : undefined)),
    )
    await using session = await opened(peer, { timeouts: { ...PATIENT, rsetMs: 40 } })
    expect(codes(await session.transact(mail({ rcpts: ['550@a.example'] }), null))).toBe('250 | 550 | 554 | -')
    expect(await session.transact(mail(), null)).toMatchObject({ lost: { stage: 'idle', bodySent: 'none', fault: { code: 'ETIMEDOUT' } }, usable: false })
    expect(await session.over).toMatchObject({ because: 'fault', stage: 'idle' })
  })
})

describe('a transaction that is cut short', () => {
  const stages = [
    ['MAIL', '- | - | - | -', 'mail', 'none'],
    ['RCPT', '250 | - | - | -', 'rcpt', 'none'],
    ['DATA', '250 | 250 | - | -', 'data', 'none'],
    ['DOT', '250 | 250 | 354 | -', 'dot', 'dotSent'],
  ] as const

  test.each(stages)('by a close at %s', async (at, told, stage, bodySent) => {
    await using peer = await peerThat((command) => (command.startsWith(at) ? null : undefined))
    await using session = await opened(peer)
    const sent = await session.transact(mail(), null)
    expect(codes(sent)).toBe(told)
    expect(sent).toMatchObject({ lost: { stage, bodySent, fault: { code: 'ECLOSED' } }, usable: false })
    expect(verdictFor(sent, 0)).toEqual({ stage, reply: null })
    expect(await session.over).toMatchObject({ because: 'closed', stage })
  })

  test.each(stages)('by silence at %s', async (at, told, stage, bodySent) => {
    await using peer = await peerThat((command) => (command.startsWith(at) ? '' : undefined), at === 'DOT' ? PIPELINING : [])
    await using session = await opened(peer, { timeouts: { ...PATIENT, mailMs: 40, rcptMs: 40, dataMs: 40, dotMs: 40 } })
    const sent = await session.transact(mail(), null)
    expect(codes(sent)).toBe(told)
    expect(sent).toMatchObject({ lost: { stage, bodySent, fault: { code: 'ETIMEDOUT' } }, usable: false })
  })

  test.each([
    ['MAIL', '421 | - | - | -', { stage: 'rcpt', bodySent: 'none', fault: null }],
    ['RCPT', '250 | 421 | - | -', { stage: 'data', bodySent: 'none', fault: null }],
    ['DATA', '250 | 250 | 421 | -', null],
    ['DOT', '250 | 250 | 354 | 421', null],
  ])('by 421 at %s: the reply is told, and the session is over', async (at, told, lost) => {
    await using peer = await peerThat((command) => (command.startsWith(at) ? '421 4.3.2 bye' : undefined))
    await using session = await opened(peer)
    const sent = await session.transact(mail(), null)
    expect(codes(sent)).toBe(told)
    expect(sent).toMatchObject({ lost, usable: false })
    expect(await session.over).toMatchObject({ because: 'reply', reply: { code: 421, enhanced: '4.3.2', text: 'bye' } })
  })

  test('by ourselves: before the dot nothing is delivered, after it the answer is missing', async () => {
    for (const [at, stage, bodySent] of [
      ['DATA', 'data', 'none'],
      ['DOT', 'dot', 'dotSent'],
    ] as const) {
      await using peer = await peerThat((command) => (command === at ? '' : undefined))
      await using session = await opened(peer)
      const sending = session.transact(mail(), null)
      await expect.poll(() => peer.heard.at(-1)).toBe(at === 'DOT' ? '.' : 'DATA')
      expect(session.stage).toBe(stage)
      session.close()
      expect(await sending).toMatchObject({ lost: { stage, bodySent, fault: { code: 'ECUT' } } })
      expect(await session.over).toMatchObject({ because: 'cut' })
    }
  })
})

test('over TLS it is the same: envelopes ahead, a body of several blocks, a lost answer to the dot', async () => {
  let dots = 0
  await using peer = await startPeer((talk) => serve(talk, ['PIPELINING', 'STARTTLS'], (command) => (command === 'DOT' && ++dots === 41 ? null : undefined)))
  await using session = await opened(peer, { tls: 'required' })
  const line = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(200))
  for (let i = 0; i < 40; i++) {
    const body = i % 10 === 5 ? [line, line] : Buffer.from('Subject: hello\r\n\r\nhello\r\n')
    expect(codes(await session.transact(mail({ body }), i < 39 ? envelope() : null))).toBe('250 | 250 | 354 | 250')
  }
  expect(await session.transact(mail(), null)).toMatchObject({ lost: { stage: 'dot', bodySent: 'dotSent' } })
  expect(await session.over).toMatchObject({ because: 'closed', stage: 'dot' })
})

test('nothing is left on the socket when it is over', async () => {
  await using peer = await peerThat(() => undefined)
  await using session = await opened(peer, {
    connectVia: async (request) => {
      const socket = await (await import('./connect.ts')).connectDirectly(request)
      seen = socket
      return socket
    },
  })
  for (let i = 0; i < 20; i++) await session.transact(mail(), null)
  const during = (['error', 'close', 'end', 'drain', 'data', 'timeout'] as const).map((event) => seen!.listenerCount(event))
  session.quit()
  await session.over
  const after = (['error', 'close', 'end', 'drain', 'data', 'timeout'] as const).map((event) => seen!.listenerCount(event))
  // one of ours on each of the first five; Node's own (allowHalfOpen) may stay on 'end'
  expect(during.map((count, i) => count - after[i]!)).toEqual([1, 1, 1, 1, 1, 0])
  expect(after[0]).toBe(0)
})
let seen: import('node:net').Socket | null = null
