import { describe, expect, test } from 'vitest'
import { PATIENT, codes, envelope, mail, opened } from './testing/client.ts'
import { serve, startPeer, type Rule, type Talk } from './testing/peer.ts'

const peerThat = (rule: Rule) => startPeer((talk) => serve(talk, ['PIPELINING'], rule))
const next = { rcpts: ['hanako@example.jp'] }

/** A peer that plays Haraka 3.3: what stands behind the dot when it answers it is refused, one 503 a command, and read no more. */
async function haraka(talk: Talk): Promise<void> {
  talk.say('220 haraka')
  for (let command = await talk.hear(); command !== null; command = await talk.hear()) {
    if (command.startsWith('EHLO')) talk.say('250-haraka\r\n250 PIPELINING')
    else if (command !== 'DATA') talk.say('250 ok')
    else {
      talk.say('354 go ahead')
      await talk.hearBody()
      talk.say('250 queued')
      for (const behind of ['MAIL', 'RCPT', 'DATA']) {
        if (!(await talk.hear())?.startsWith(behind)) return talk.hangUp()
        talk.say('503 Bad sequence of commands - pipelined after end of DATA')
      }
    }
  }
}

test('an envelope goes with the body before it, in one write, and its body only after its own 354', async () => {
  const chunks: string[] = []
  await using peer = await startPeer((talk) => {
    talk.socket.on('data', (chunk: string) => chunks.push(chunk))
    return serve(talk, ['PIPELINING'])
  })
  await using session = await opened(peer)
  expect(await session.transact(mail(), envelope(next))).toMatchObject({ wasAhead: false, aheadRefused: false, lost: null })
  expect(session.announced).toEqual(envelope(next))
  expect(session.counts.mails).toBe(2)
  const second = await session.transact(mail(next), null)
  expect(codes(second)).toBe('250 | 250 | 354 | 250')
  expect(second).toMatchObject({ wasAhead: true, aheadRefused: false, lost: null, usable: true })
  expect(chunks.slice(1)).toEqual([
    'MAIL FROM:<news@acme.example>\r\nRCPT TO:<taro@example.jp>\r\nDATA\r\n',
    'Subject: hello\r\n\r\nhello\r\n.\r\nMAIL FROM:<news@acme.example>\r\nRCPT TO:<hanako@example.jp>\r\nDATA\r\n',
    'Subject: hello\r\n\r\nhello\r\n.\r\n',
  ])
})

describe('a peer that bears no envelope behind a body', () => {
  test('Haraka: the first mail is delivered, the second is charged to nobody and not a byte of its body is sent', async () => {
    await using peer = await startPeer(haraka)
    await using session = await opened(peer)
    expect(codes(await session.transact(mail(), envelope(next)))).toBe('250 | 250 | 354 | 250')
    const second = await session.transact(mail({ ...next, body: Buffer.from('QUIT\r\n') }), null)
    expect(second).toMatchObject({ wasAhead: true, aheadRefused: true, usable: false, dot: [] })
    expect(peer.heard).not.toContain('QUIT')
  })

  test('one that closes after the dot, and one that closes instead of answering it', async () => {
    for (const answer of ['250 queued', null] as const) {
      await using peer = await peerThat((command, talk) => {
        if (command !== 'DOT') return undefined
        if (answer !== null) talk.say(answer)
        return null
      })
      await using session = await opened(peer)
      const first = await session.transact(mail(), envelope(next))
      expect(first).toMatchObject(answer === null ? { lost: { stage: 'dot', bodySent: 'dotSent' }, aheadRefused: true } : { lost: null, aheadRefused: false })
      await session.over
      if (answer === null) continue
      expect(await session.transact(mail(next), null)).toMatchObject({ wasAhead: true, aheadRefused: true, lost: { stage: 'idle', bodySent: 'none' } })
    }
  })

  test('that never saw the envelope, since the body broke off before it, has refused nothing', async () => {
    await using peer = await peerThat((command, talk) => {
      if (command === 'DATA') talk.socket.once('data', () => talk.reset())
      return undefined
    })
    await using session = await opened(peer)
    const line = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000))
    const first = await session.transact(mail({ body: new Array<Buffer>(16).fill(line) }), envelope(next))
    expect(first).toMatchObject({ lost: { stage: 'data', bodySent: 'partial' }, aheadRefused: false })
    expect(await session.transact(mail(next), null)).toMatchObject({ wasAhead: false, aheadRefused: false, lost: { stage: 'idle' } })
    expect(session.counts.mails).toBe(1)
  })

  test('once it went well, a refused recipient is a refused recipient', async () => {
    await using peer = await peerThat((command) => (command.includes('<gone@') ? '550 5.1.1 unknown' : undefined))
    await using session = await opened(peer)
    await session.transact(mail(), envelope(next))
    await session.transact(mail(next), envelope({ rcpts: ['gone@example.jp'] }))
    const third = await session.transact(mail({ rcpts: ['gone@example.jp'] }), null)
    expect(codes(third)).toBe('250 | 550 | 354 | -')
    expect(third).toMatchObject({ wasAhead: true, aheadRefused: false, usable: true })
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
  })
})

describe('an announced envelope whose mail does not come', () => {
  test('is left by closing, never by QUIT, once the session is let go', async () => {
    await using peer = await peerThat(() => undefined)
    await using session = await opened(peer)
    await session.transact(mail(), envelope(next))
    session.quit()
    expect(await session.over).toMatchObject({ because: 'quit' })
    expect(peer.heard).not.toContain('QUIT')
  })

  test('does not hold the session longer than idle', async () => {
    await using peer = await peerThat(() => undefined)
    await using session = await opened(peer, { timeouts: { ...PATIENT, idleMs: 40 } })
    await session.transact(mail(), envelope(next))
    expect(await session.over).toMatchObject({ because: 'idle' })
    expect(peer.heard).not.toContain('QUIT')
  })

  test('and is refused meanwhile is reset at once; its mail then hears what was said', async () => {
    await using peer = await peerThat((command) =>
      command.includes('<hanako@') ? '451 4.2.1 slow' : command === 'DATA' ? (++datas === 2 ? '554 5.5.1 nobody' : undefined) : undefined,
    )
    let datas = 0
    await using session = await opened(peer)
    await session.transact(mail(), envelope(next))
    await expect.poll(() => peer.heard.at(-1)).toBe('RSET')
    expect(codes(await session.transact(mail(next), null))).toBe('250 | 451 | 554 | -')
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
  })
})
