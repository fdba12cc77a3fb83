import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { connectDirectly } from './connect.ts'
import { PATIENT, codes, envelope, mail, opened } from './testing/client.ts'
import { serve, startPeer, type Talk } from './testing/peer.ts'

const MEGABYTE = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000))
const big = mail({ body: new Array<Buffer>(16).fill(MEGABYTE) })

/** Answers up to 354, then leaves the body to `take`. */
const peerWhoTakes = (take: (talk: Talk) => Promise<void>) =>
  startPeer((talk) =>
    serve(talk, ['PIPELINING'], async (command) => {
      if (command !== 'DATA') return undefined
      talk.say('354 go ahead')
      await take(talk)
      return null
    }),
  )

test('a body of 16 MB goes block by block: never two of them wait in our own memory, and the next envelope follows it', async () => {
  let ours: Socket | undefined
  let most = 0
  await using peer = await startPeer((talk) => {
    talk.socket.on('data', () => {
      most = Math.max(most, ours?.writableLength ?? 0)
    })
    return serve(talk, ['PIPELINING'])
  })
  await using session = await opened(peer, {
    connectVia: async (request) => {
      ours = await connectDirectly(request)
      return ours
    },
  })
  expect(codes(await session.transact(big, envelope()))).toBe('250 | 250 | 354 | 250')
  expect(codes(await session.transact(mail(), null))).toBe('250 | 250 | 354 | 250')
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(2 * 65_536)
})

test('a peer that stops reading is left without a dot', async () => {
  await using peer = await peerWhoTakes(async (talk) => {
    talk.socket.pause()
    await once(talk.socket, 'close')
  })
  await using session = await opened(peer, { timeouts: { ...PATIENT, blockMs: 60 } })
  expect(await session.transact(big, null)).toMatchObject({ data: { code: 354 }, lost: { stage: 'data', bodySent: 'partial', fault: { code: 'ETIMEDOUT' } } })
})

test('a peer that reads slowly, but reads, is waited for', async () => {
  let taken = 0
  let pauses = 0
  await using peer = await peerWhoTakes(async (talk) => {
    talk.socket.on('data', (chunk: string) => {
      taken += chunk.length
      if (taken < (pauses + 1) * 2_000_000) return
      pauses += 1
      talk.socket.pause()
      setTimeout(() => talk.socket.resume(), 80)
    })
    await talk.hearBody()
    talk.say('250 at last')
    await once(talk.socket, 'end')
  })
  await using session = await opened(peer, { timeouts: { ...PATIENT, blockMs: 350 } })
  const sent = await session.transact(big, null)
  expect(codes(sent)).toBe('250 | 250 | 354 | 250')
  expect(sent.ms).toBeGreaterThan(350)
})

test('a refusal in the middle of the body is believed, a success is not; neither gets the dot', async () => {
  for (const [words, dot] of [
    ['552 5.3.4 too big', [{ code: 552 }]],
    ['250 2.0.0 thanks', []],
  ] as const) {
    await using peer = await peerWhoTakes(async (talk) => {
      await once(talk.socket, 'data')
      talk.socket.pause()
      talk.say(words)
      await once(talk.socket, 'close')
    })
    await using session = await opened(peer)
    expect(await session.transact(big, null)).toMatchObject({ dot, lost: { stage: 'data', bodySent: 'partial', fault: { code: 'EPROTOCOL' } }, usable: false })
  }
})
