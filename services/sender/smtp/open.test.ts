import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { openSession } from './open.ts'
import { PATIENT, codes, mail, opened, options } from './testing/client.ts'
import { serve, startPeer } from './testing/peer.ts'

const impatient = { ...PATIENT, connectMs: 60, greetingMs: 60, ehloMs: 60, starttlsMs: 60 }

describe('a session that opens', () => {
  test('knows both ends and what was offered', async () => {
    await using peer = await startPeer((talk) => serve(talk, ['PIPELINING', 'SIZE 1000']))
    await using session = await opened(peer, { localAddress: '127.0.1.7' })
    expect(session.facts).toMatchObject({ host: 'mx.peer.example', address: peer.address, localAddress: '127.0.1.7', tls: null })
    expect(session.facts).toMatchObject({ greeting: 'mx.peer.example ESMTP', ehlo: 'mx.peer.example greets you' })
    expect([...session.facts.extensions.keywords]).toEqual(['PIPELINING', 'SIZE'])
    expect(peer.heard).toEqual(['EHLO mx1.hato.example'])
  })

  test('takes TLS with a certificate that nobody vouches for, and believes only the EHLO behind it', async () => {
    let helloes = 0
    await using peer = await startPeer((talk) =>
      serve(talk, ['STARTTLS'], (command) => (command.startsWith('EHLO') && ++helloes === 2 ? '250-mx.peer.example inside\r\n250 PIPELINING' : undefined)),
    )
    await using session = await opened(peer, { tls: 'opportunistic' })
    expect(session.facts.tls).toMatchObject({ version: 'TLSv1.3', peerName: 'mx.peer.example', verified: false })
    expect([...session.facts.extensions.keywords]).toEqual(['PIPELINING'])
    expect(session.facts.ehlo).toBe('mx.peer.example inside')
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
  })

  test('goes on in plaintext when STARTTLS is refused and need not be', async () => {
    await using peer = await startPeer((talk) =>
      serve(talk, ['STARTTLS', 'PIPELINING'], (command) => (command === 'STARTTLS' ? '454 4.7.0 not now' : undefined)),
    )
    await using session = await opened(peer, { tls: 'opportunistic' })
    expect(session.facts.tls).toBeNull()
    expect(session.facts.extensions.keywords.has('PIPELINING')).toBe(true)
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
  })

  test('asks for no TLS when it is off', async () => {
    await using peer = await startPeer((talk) => serve(talk, ['STARTTLS']))
    await using session = await opened(peer, { tls: 'off' })
    expect(session.facts.tls).toBeNull()
    expect(peer.heard).not.toContain('STARTTLS')
  })

  test('falls back to HELO where EHLO is not known', async () => {
    await using peer = await startPeer((talk) => serve(talk, [], (command) => (command.startsWith('EHLO') ? '502 5.5.1 what?' : undefined)))
    await using session = await opened(peer)
    expect(session.facts.extensions.keywords.size).toBe(0)
    expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
  })

  test('logs in, and says LHLO to an LMTP peer', async () => {
    await using peer = await startPeer((talk) => serve(talk, ['AUTH PLAIN', 'PIPELINING']))
    await using session = await opened(peer, { protocol: 'lmtp', auth: { user: 'u', pass: 'p' } })
    expect(peer.heard).toEqual(['LHLO mx1.hato.example', `AUTH PLAIN ${Buffer.from('\0u\0p').toString('base64')}`])
    expect(session.facts.extensions.keywords.has('PIPELINING')).toBe(true)
  })
})

describe('a session that does not open says where and with which words', () => {
  test.each([
    [
      'CONNECT',
      'greeting',
      { code: 554, enhanced: '5.7.1', text: 'your address is listed, see https://example.com' },
      '554-5.7.1 your address is listed,\r\n554 5.7.1 see https://example.com',
    ],
    ['CONNECT', 'greeting', { code: 421, enhanced: null, text: 'too many connections' }, '421 too many connections'],
    ['EHLO', 'ehlo', { code: 421, enhanced: '4.3.2', text: 'going down' }, '421 4.3.2 going down'],
    // HELO is tried as well and gets the same
    ['HELO', 'ehlo', { code: 550, enhanced: null, text: 'no' }, '550 no'],
    ['EHLO', 'ehlo', { code: 421, enhanced: '4.7.0', text: 'behind the EHLO reply' }, '250-mx\r\n250 PIPELINING\r\n421 4.7.0 behind the EHLO reply'],
  ])('%s → %s', async (at, stage, reply, words) => {
    await using peer = await startPeer((talk) =>
      serve(talk, [], (command) => (command.startsWith(at) || (at === 'HELO' && command.startsWith('EHLO')) ? words : undefined)),
    )
    expect(await openSession(options(peer))).toEqual({ kind: 'failed', stage, reply, fault: null, tlsBroken: false })
  })

  test.each([
    ['required, and not offered', 'required', [], '502 5.5.1 no such command', 502],
    ['required, and refused', 'required', ['STARTTLS'], '454 4.7.0 not now', 454],
    ['opportunistic, and the peer leaves at it', 'opportunistic', ['STARTTLS'], '421 4.7.0 bye', 421],
  ] as const)('TLS %s', async (_, tls, keywords, words, code) => {
    await using peer = await startPeer((talk) => serve(talk, keywords, (command) => (command === 'STARTTLS' ? words : undefined)))
    expect(await openSession(options(peer, { tls }))).toMatchObject({ kind: 'failed', stage: 'starttls', reply: { code }, fault: null, tlsBroken: false })
  })

  test('a handshake that is none is broken TLS, for every kind of breaking', async () => {
    for (const afterReady of ['garbage', 'hang up', 'reset', 'no reply at all'] as const) {
      await using peer = await startPeer((talk) =>
        serve(talk, ['STARTTLS'], async (command) => {
          if (command !== 'STARTTLS') return undefined
          if (afterReady === 'no reply at all') return null
          talk.say('220 ready')
          if (afterReady === 'garbage') {
            // What comes before the handshake begins is dropped (RFC 3207 6), so it waits for the ClientHello.
            await once(talk.socket, 'data')
            talk.write('this is no ServerHello\r\n')
          }
          if (afterReady === 'reset') talk.reset()
          return afterReady === 'hang up' ? null : ''
        }),
      )
      const result = await openSession(options(peer, { tls: 'opportunistic' }))
      expect(result, afterReady).toMatchObject({ kind: 'failed', stage: 'starttls', reply: null, tlsBroken: true })
      // the retry that the caller may do
      await using session = await opened(peer, { tls: 'off' })
      expect(session.facts.tls).toBeNull()
    }
  })

  test.each([
    ['greeting', false],
    ['ehlo', false],
    ['starttls', true],
  ] as const)('silence at %s ends with its time-out', async (stage, tlsBroken) => {
    const silentAt = { greeting: 'CONNECT', ehlo: 'EHLO', starttls: 'STARTTLS' }[stage]
    await using peer = await startPeer(async (talk) => {
      if (silentAt === 'CONNECT') return
      await serve(talk, ['STARTTLS'], (command) => (command.startsWith(silentAt) ? '' : undefined))
    })
    const result = await openSession(options(peer, { tls: 'opportunistic', timeouts: impatient }))
    expect(result).toMatchObject({ kind: 'failed', stage, reply: null, fault: { code: 'ETIMEDOUT' }, tlsBroken })
  })

  test('a peer that closes before its greeting, and one that resets', async () => {
    await using closing = await startPeer(async (talk) => talk.hangUp())
    expect(await openSession(options(closing))).toMatchObject({ kind: 'failed', stage: 'greeting', reply: null, fault: { code: 'ECLOSED' } })
    await using resetting = await startPeer(async (talk) => talk.reset())
    // The kernel may see the reset while it still connects: then the stage is `connect`.
    expect(await openSession(options(resetting))).toMatchObject({ kind: 'failed', reply: null, fault: { code: 'ECONNRESET' } })
  })

  test('a greeting that is none', async () => {
    await using peer = await startPeer(async (talk) => talk.say('HTTP/1.1 400 Bad Request'))
    expect(await openSession(options(peer))).toMatchObject({ kind: 'failed', stage: 'greeting', reply: null, fault: { code: 'EPROTOCOL' } })
  })

  test('nobody at the port, and no such address of ours', async () => {
    const peer = await startPeer(async () => {})
    const gone = options(peer)
    await peer[Symbol.asyncDispose]()
    expect(await openSession(gone)).toMatchObject({ kind: 'failed', stage: 'connect', fault: { code: 'ECONNREFUSED' } })
    expect(await openSession({ ...gone, localAddress: '203.0.113.5' })).toMatchObject({ kind: 'failed', stage: 'connect', fault: { code: 'EADDRNOTAVAIL' } })
  })

  test('a password that is refused; and none is sent where TLS was wanted and not had', async () => {
    const auth = { user: 'u', pass: 'p' }
    await using peer = await startPeer((talk) => serve(talk, ['AUTH PLAIN'], (command) => (command.startsWith('AUTH') ? '535 5.7.8 no' : undefined)))
    expect(await openSession(options(peer, { auth }))).toMatchObject({ kind: 'failed', stage: 'ehlo', reply: { code: 535, enhanced: '5.7.8', text: 'no' } })
    expect(await openSession(options(peer, { auth, tls: 'opportunistic' }))).toMatchObject({ kind: 'failed', fault: { code: 'EAUTH' } })
    expect(peer.heard.filter((line) => line.startsWith('AUTH'))).toHaveLength(1)
  })

  test('given up by us, at once, whether before or in the middle', async () => {
    await using peer = await startPeer(async () => {})
    expect(await openSession(options(peer, { signal: AbortSignal.abort() }))).toMatchObject({ kind: 'failed', stage: 'connect', fault: { code: 'ECUT' } })
    const middle = new AbortController()
    const opening = openSession(options(peer, { signal: middle.signal }))
    await expect.poll(() => peer.connections).toBeGreaterThan(0)
    middle.abort()
    expect(await opening).toMatchObject({ kind: 'failed', fault: { code: 'ECUT' }, tlsBroken: false })
  })
})
