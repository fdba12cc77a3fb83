import { mkdtemp, readFile, rm, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dotStuff } from './body.ts'
import { openSession } from './open.ts'
import { codes, envelope, mail, opened, options } from './testing/client.ts'
import { startSink } from './testing/sink.ts'

/** The engine against Postfix's own peer. */

describe('smtp-sink', () => {
  test.each([
    ['one by one', false],
    ['each envelope behind the body before', true],
  ])('takes 3,000 mails in one session, %s', async (_, ahead) => {
    await using sink = await startSink()
    await using session = await opened(sink)
    const count = 3_000
    for (let i = 0; i < count; i++) {
      const sent = await session.transact(mail(), ahead && i < count - 1 ? envelope() : null)
      if (codes(sent) !== '250 | 250 | 354 | 250' || sent.wasAhead !== (ahead && i > 0)) expect.unreachable(`${i}: ${JSON.stringify(sent)}`)
    }
    expect(session.counts).toEqual({ mails: count, rcpts: count, refused: 0 })
    session.quit()
    expect(await session.over).toMatchObject({ because: 'quit' })
  })

  test('has what was sent, byte for byte: dots, chunks, a body of several blocks, an envelope behind it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hato-sink-'))
    await chmod(folder, 0o777) // the sink may run as nobody
    try {
      const long = `Subject: long\r\n\r\n${`${'0123456789'.repeat(9)}\r\n`.repeat(4_000)}`
      const bodies = ['Subject: dots\r\n\r\n.\r\n..two\r\nend.\r\n', long, 'Subject: last\r\n\r\nlast\r\n']
      await using sink = await startSink('-D', join(folder, 'mails'))
      await using session = await opened(sink)
      for (const [i, body] of bodies.entries()) {
        const stuffed = dotStuff(Buffer.from(body))
        const third = Math.floor(stuffed.length / 3)
        const chunks = [stuffed.subarray(0, third), new Uint8Array(0), stuffed.subarray(third)]
        expect(codes(await session.transact(mail({ body: chunks }), i < bodies.length - 1 ? envelope() : null))).toBe('250 | 250 | 354 | 250')
      }
      session.quit()
      await session.over
      const mails = (await readFile(join(folder, 'mails'), 'latin1')).split(/^X-Client-Addr:.*\n/m).slice(1)
      expect(mails).toHaveLength(3)
      for (const [i, body] of bodies.entries()) expect(mails[i]).toContain(body.replaceAll('\r\n', '\n'))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test.each([
    [['-f', 'RCPT'], '250 | 500 | - | -', true],
    [['-r', 'DATA'], '250 | 250 | 450 | -', true],
    [['-r', '.'], '250 | 250 | 354 | 450', true],
    [['-Q', 'MAIL'], '421 | - | - | -', false],
    [['-Q', '.'], '250 | 250 | 354 | 421', false],
    [['-q', 'DATA'], '250 | 250 | - | -', false],
    [['-q', '.'], '250 | 250 | 354 | -', false],
  ])('%j: %s', async (how, told, usable) => {
    await using sink = await startSink(...how)
    await using session = await opened(sink)
    const sent = await session.transact(mail(), null)
    expect([codes(sent), sent.usable]).toEqual([told, usable])
    if (usable) expect(codes(await session.transact(mail(), null))).toBe(told)
  })

  test.each([
    ['CONNECT', 'greeting', 500],
    ['EHLO,HELO', 'ehlo', 500],
  ])('refusing at %s', async (at, stage, code) => {
    await using sink = await startSink('-f', at)
    expect(await openSession(options(sink))).toMatchObject({ kind: 'failed', stage, reply: { code, enhanced: '5.3.0', text: 'Error: command failed' } })
  })

  test('that refuses before the end of a body that it does not read: no dot is sent', async () => {
    await using sink = await startSink('-A', '0')
    await using session = await opened(sink)
    const line = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000))
    const sent = await session.transact(mail({ body: new Array<Buffer>(30).fill(line) }), null)
    expect(sent).toMatchObject({ lost: { stage: 'data', bodySent: 'partial' }, usable: false })
  })

  test('as LMTP answers once per recipient', async () => {
    await using sink = await startSink('-L')
    await using session = await opened(sink, { protocol: 'lmtp' })
    for (let i = 0; i < 3; i++)
      expect(codes(await session.transact(mail({ rcpts: ['a@a.example', 'b@a.example'] }), null))).toBe('250 | 250,250 | 354 | 250,250')
  })
})
