import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { TlsNeed } from '../policy/tls/need.ts'
import { openSession } from './open.ts'
import { CERT } from './testing/certificate.ts'
import { opened, options } from './testing/client.ts'
import { serve, startPeer } from './testing/peer.ts'

const offering = (...keywords: readonly string[]) => startPeer((talk) => serve(talk, keywords))
const trusting = tls.createSecureContext({ ca: [CERT] })
const pkix: TlsNeed = { kind: 'pkix' }

describe('a session that must prove itself', () => {
  test('opens with a certificate that chains to a root of ours and names the host', async () => {
    await using peer = await offering('STARTTLS')
    await using session = await opened(peer, { tls: 'opportunistic', need: pkix, roots: trusting })
    expect(session.facts.tls).toMatchObject({ verified: true, trouble: null, dane: false })
  })

  test.each([
    ['an unknown root', {}, 'certificate-not-trusted'],
    ['another name', { host: 'mx.other.example', roots: trusting }, 'certificate-host-mismatch'],
  ] as const)('does not open with %s, whatever the row would take', async (_, over, trouble) => {
    await using peer = await offering('STARTTLS')
    expect(await openSession(options(peer, { tls: 'off', need: pkix, ...over }))).toMatchObject({
      kind: 'failed',
      stage: 'starttls',
      fault: { code: 'TLS_POLICY' },
      tlsBroken: false,
      trouble,
    })
    expect(peer.heard.filter((line) => line.startsWith('MAIL'))).toEqual([])
  })

  test('does not open where TLS is not to be had', async () => {
    await using peer = await startPeer((talk) => serve(talk, [], (command) => (command === 'STARTTLS' ? '502 5.5.1 what?' : undefined)))
    expect(await openSession(options(peer, { need: pkix, roots: trusting }))).toMatchObject({ kind: 'failed', trouble: 'starttls-not-supported' })
  })

  test('does not open where the handshake breaks, and asks for no second try without', async () => {
    await using peer = await startPeer((talk) =>
      serve(talk, ['STARTTLS'], async (command) => {
        if (command !== 'STARTTLS') return undefined
        talk.say('220 ready')
        await once(talk.socket, 'data')
        talk.write('this is no ServerHello\r\n')
        return ''
      }),
    )
    expect(await openSession(options(peer, { need: pkix, roots: trusting }))).toMatchObject({ kind: 'failed', trouble: 'validation-failure' })
  })

  test('takes any certificate where only encryption is asked for', async () => {
    await using peer = await offering('STARTTLS')
    await using session = await opened(peer, { tls: 'off', need: { kind: 'encrypted' } })
    expect(session.facts.tls).toMatchObject({ verified: false, trouble: 'certificate-not-trusted' })
  })

  test('is vouched for by a TLSA record of its key, and by none of another', async () => {
    const spki = new X509Certificate(CERT).publicKey.export({ type: 'spki', format: 'der' })
    const dane = (data: Buffer): TlsNeed => ({ kind: 'dane', records: [{ usage: 3, selector: 1, matching: 0, data }] })
    await using peer = await offering('STARTTLS')
    await using session = await opened(peer, { tls: 'opportunistic', host: 'mx.other.example', need: dane(spki) })
    expect(session.facts.tls).toMatchObject({ verified: false, dane: true })
    expect(await openSession(options(peer, { need: dane(spki.subarray(1)) }))).toMatchObject({ kind: 'failed', trouble: 'validation-failure' })
  })
})
