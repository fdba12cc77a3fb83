import { describe, expect, it } from 'vitest'
import { aheadAccepted, aheadRefused, dropInData, silenceAfterDot } from '../models/body.ts'
import type { Behaviour } from '../models/behaviour.ts'
import { dropAtConnect, greetingRefused, noPipelining, slowGreeting, tlsBroken, tlsOffered, tlsRequired } from '../models/connecting.ts'
import { sessionCap, silentClose } from '../models/limits.ts'
import { reply } from '../models/reply.ts'
import { sessionRcptTrap } from '../models/recipients.ts'
import { rowWith } from '../models/talk.testkit.ts'
import { startWorld, type World, type WorldOptions } from '../world.ts'
import { type Client, connect, greet } from './client.testkit.ts'

const HOST = '127.0.2.1'
const open = (behaviours: readonly Behaviour[], options: WorldOptions = {}): Promise<World> => startWorld({ ...options, rows: [rowWith(...behaviours)] })
const at = (world: World): Promise<Client> => greet(HOST, world.smtpPort)

describe('the front on the wire', () => {
  it('answers a pipelined envelope reply by reply and takes the body', async () => {
    await using world = await open([])
    using client = await at(world)
    expect(await client.pipe('MAIL FROM:<a@b.example>', 'RCPT TO:<ok@test.example>', 'RCPT TO:<x@elsewhere.example>', 'DATA')).toEqual([250, 250, 550, 354])
    expect(await client.say('Message-ID: <1>\r\n\r\nhello\r\n.')).toBe(250)
    expect(world.record.arrivals('ok@test.example')).toMatchObject([{ messageId: '<1>', source: '127.0.1.1', isp: 'test', count: 1, unanswered: 0 }])
  })

  it('takes the next envelope behind the body where the row does, and refuses it command by command where it does not', async () => {
    const ahead = ['Message-ID: <1>', '', 'x', '.', 'MAIL FROM:<a@b.example>', 'RCPT TO:<ok+2@test.example>', 'DATA', ''].join('\r\n')
    for (const [behaviour, expected] of [
      [aheadAccepted(), [250, 250, 250, 354]],
      [aheadRefused(), [250, 503, 503, 503]],
    ] as const) {
      await using world = await open([behaviour])
      using client = await at(world)
      await client.pipe('MAIL FROM:<a@b.example>', 'RCPT TO:<ok@test.example>', 'DATA')
      client.write(ahead)
      const heard = []
      for (const _ of expected) heard.push(await client.heard())
      expect(heard).toEqual(expected)
      expect(world.behavioursMet()[0]?.behaviours[0]?.met).toBeGreaterThan(0)
    }
  })

  it('knows an envelope that came while the reply to the dot was being delayed', async () => {
    await using world = await open([aheadRefused()])
    using client = await at(world)
    await client.pipe('MAIL FROM:<a@b.example>', 'RCPT TO:<slow-100ms@test.example>', 'DATA')
    client.write('Message-ID: <1>\r\n\r\nx\r\n.\r\n')
    await world.until(({ taken }) => taken === 1, 2000)
    client.write('MAIL FROM:<a@b.example>\r\n')
    expect([await client.heard(), await client.heard()]).toEqual([250, 503])
  })

  it('refuses commands piped together where PIPELINING was not offered', async () => {
    await using world = await open([noPipelining()])
    using client = await at(world)
    client.write('MAIL FROM:<a@b.example>\r\nRCPT TO:<ok@test.example>\r\n')
    expect([await client.heard(), await client.heard(), await client.heard()]).toEqual([250, 554, 'closed'])
  })

  it('takes mail over TLS and only over TLS where it is required; what was piped behind STARTTLS is dropped', async () => {
    await using world = await open([tlsOffered(), tlsRequired()])
    using client = await at(world)
    expect(await client.say('MAIL FROM:<a@b.example>')).toBe(530)
    await client.startTls()
    await client.say('EHLO sender.example')
    expect(await client.send('ok', '<1>')).toBe(250)
    expect(world.summary().isps.test?.sources['127.0.1.1']).toMatchObject({ encrypted: 1, stored: 1, excess: { 'tls-required': 1 } })
  })

  it('breaks the handshake where TLS is broken', async () => {
    await using world = await open([tlsBroken()])
    using client = await at(world)
    await expect(client.startTls()).rejects.toThrow()
  })

  it('refuses at the greeting and closes; is slow to greet; resets before a word', async () => {
    await using refusing = await open([greetingRefused(1)])
    using refused = await connect(HOST, refusing.smtpPort)
    expect([await refused.heard(), await refused.heard()]).toEqual([554, 'closed'])
    await using slow = await open([slowGreeting(80)])
    const began = performance.now()
    using greeted = await connect(HOST, slow.smtpPort)
    expect(await greeted.heard()).toBe(220)
    expect(performance.now() - began).toBeGreaterThan(70)
    await using resetting = await open([dropAtConnect(1)])
    // the reset may come before the client knows that it was connected
    const heard = connect(HOST, resetting.smtpPort).then(
      (client) => client.heard(),
      (error: { readonly code?: string }) => error.code,
    )
    expect(['reset', 'ECONNRESET']).toContain(await heard)
  })

  it('refuses the session above the cap, counts the excess and how many were open', async () => {
    await using world = await open([sessionCap(1)])
    using first = await at(world)
    using second = await connect(HOST, world.smtpPort)
    expect([await second.heard(), await second.heard()]).toEqual([421, 'closed'])
    expect(world.summary().isps.test?.sources['127.0.1.1']).toMatchObject({ connects: 2, maxOpen: 2, excess: { 'session-cap': 1 } })
    expect(await first.say('QUIT')).toBe(221)
    using third = await connect(HOST, world.smtpPort)
    expect(await third.heard()).toBe(220)
    expect(world.openSessions('test', '127.0.1.1')).toBe(1)
  })

  it('closes without a word behind the last mail of a session', async () => {
    await using world = await open([silentClose(1)])
    using client = await at(world)
    expect(await client.send('ok', '<1>')).toBe(250)
    expect(await client.heard()).toBe('closed')
  })

  it.each([
    ['drop-at-rcpt', 0],
    ['drop-in-data', 0],
    ['drop-after-dot', 1],
    ['silent-50ms', 1],
  ])('%s@ ends the connection and leaves %i mails at the far end', async (local, stored) => {
    await using world = await open([])
    using client = await at(world)
    expect(await client.send(local, '<1>')).toBe('closed')
    expect(world.record.taken).toBe(stored)
    expect(world.record.arrivals(`${local}@test.example`)).toMatchObject(stored === 0 ? [] : [{ count: 1, unanswered: 1 }])
  })

  it('says nothing more to silent@, keeps the mail and keeps the line open', async () => {
    await using world = await open([])
    using client = await at(world)
    void client.send('silent', '<1>')
    await world.until(({ taken }) => taken === 1, 2000)
    client.write('NOOP\r\n')
    using other = await at(world)
    expect(await other.say('NOOP')).toBe(250)
    expect(world.openSessions('test')).toBe(2)
  })

  it('cuts in mid-body and stores nothing; stores without an answer and cuts', async () => {
    await using dropping = await open([dropInData(1)])
    using dropped = await at(dropping)
    expect(await dropped.send('taro', '<1>')).toBe('closed')
    expect(dropping.record.taken).toBe(0)
    await using silent = await open([silenceAfterDot(1, 30)])
    using unanswered = await at(silent)
    expect(await unanswered.send('taro', '<1>')).toBe('closed')
    expect(silent.record.taken).toBe(1)
  })

  it('springs the trap of the recipient too many: what was delivered before is gone from the record', async () => {
    await using world = await open([sessionRcptTrap(2, reply(554, null, 'too many'))])
    using client = await at(world)
    await client.send('ok+1', '<1>')
    await client.send('ok+2', '<2>')
    expect(await client.send('ok+3', '<3>')).toBe(554)
    expect(world.summary().isps.test).toMatchObject({ voided: 2, excess: 1 })
    expect(world.verdict([{ campaign: 'a', addresses: ['ok+1@test.example', 'ok+2@test.example'] }])).toMatchObject({ ok: false, lost: 2 })
  })

  it('ends an idle session with 421', async () => {
    await using world = await startWorld({ rows: [{ ...rowWith(), idleMs: 60 }] })
    using client = await at(world)
    expect([await client.heard(), await client.heard()]).toEqual([421, 'closed'])
  })

  it('keeps as many bodies as asked for, with doubled dots undone, and none otherwise', async () => {
    await using world = await open([], { keepBodies: 1 })
    using client = await at(world)
    await client.pipe('MAIL FROM:<a@b.example>', 'RCPT TO:<ok@test.example>', 'DATA')
    await client.say('Message-ID: <1>\r\n\r\n..x\r\n.')
    await client.send('ok', '<2>')
    expect(world.record.bodies('ok@test.example').map(String)).toEqual(['Message-ID: <1>\r\n\r\n.x\r\n'])
  })

  it('notices a malformed body and a mail without Message-ID', async () => {
    await using world = await open([])
    using client = await at(world)
    await client.pipe('MAIL FROM:<a@b.example>', 'RCPT TO:<ok@test.example>', 'DATA')
    await client.say('Subject: x\n\r\nhello\r\n.')
    await client.pipe('MAIL FROM:<a@b.example>', 'RCPT TO:<ok@test.example>', 'DATA')
    await client.say('.')
    expect(world.summary().isps.test).toMatchObject({ malformed: { 'bare-lf': 1 }, withoutMessageId: 2, stored: 2 })
  })

  it('cuts a line that never ends', async () => {
    await using world = await open([])
    using client = await at(world)
    client.write('x'.repeat(5000))
    expect(await client.heard()).toBe('closed')
  })
})

describe('planted trouble', () => {
  it('comes before every behaviour, strikes as often as told, at the sources told, and is lifted', async () => {
    await using world = await open([])
    world.fault('test', 'a', { stage: 'connect', does: 'reply', code: 554, text: 'S3150', times: 1, sources: ['127.0.1.1'] })
    using other = await connect(HOST, world.smtpPort, '127.0.1.2')
    expect(await other.heard()).toBe(220)
    using struck = await connect(HOST, world.smtpPort)
    expect(await struck.heard()).toBe(554)
    using again = await connect(HOST, world.smtpPort)
    expect(await again.heard()).toBe(220)
    world.fault('test', 'b', { stage: 'rcpt', does: 'reply', code: 451 })
    expect(await again.say('EHLO x')).toBe(250)
    expect(await again.send('ok', '<1>')).toBe(451)
    world.lift('test', 'b')
    await again.say('RSET')
    expect(await again.send('ok', '<1>')).toBe(250)
  })

  it.each([
    ['store-and-cut', 'closed', 1],
    ['cut', 'closed', 0],
    ['reset', 'reset', 0],
  ] as const)('%s at the dot: %s, %i stored', async (does, heard, stored) => {
    await using world = await open([])
    world.fault('test', 'a', { stage: 'dot', does })
    using client = await at(world)
    expect(await client.send('ok', '<1>')).toBe(heard)
    expect(world.record.taken).toBe(stored)
  })

  it('names the ISPs there are when it is asked for another', async () => {
    await using world = await open([])
    expect(() => world.fault('nobody', 'a', { stage: 'dot', does: 'cut' })).toThrow('no ISP is named nobody; there are test')
  })
})
