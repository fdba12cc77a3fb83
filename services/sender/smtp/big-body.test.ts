import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
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
  expect(most).toBeLessThan(2 * 131_072)
})

test('the memory of a body is let go of when the kernel has all of it, not before, and not when the session ends first', async () => {
  let resume = () => {}
  let released = 0
  const release = () => {
    released += 1
  }
  await using slow = await peerWhoTakes(async (talk) => {
    talk.socket.pause()
    resume = () => talk.socket.resume()
    await talk.hearBody()
    talk.say('250 at last')
    await once(talk.socket, 'end')
  })
  await using session = await opened(slow)
  const sending = session.transact({ ...big, release }, null)
  await vi.waitUntil(() => session.stage === 'data' && resume.name === 'resume')
  expect(released).toBe(0)
  resume()
  expect(codes(await sending)).toBe('250 | 250 | 354 | 250')
  expect(released).toBe(1)

  await using deaf = await peerWhoTakes(async (talk) => {
    talk.socket.pause()
    await once(talk.socket, 'close')
  })
  await using cut = await opened(deaf, { timeouts: { ...PATIENT, blockMs: 60 } })
  expect(await cut.transact({ ...big, release }, null)).toMatchObject({ lost: { bodySent: 'partial' } })
  await cut.over
  expect(released).toBe(1)
})

test('a small body and what follows it are one write where the body’s memory has room for both', async () => {
  await using peer = await startPeer((talk) => serve(talk, ['PIPELINING']))
  let ours: Socket | undefined
  await using session = await opened(peer, {
    connectVia: async (request) => {
      ours = await connectDirectly(request)
      return ours
    },
  })
  const text = 'Subject: hello\r\n\r\nhello\r\n'
  for (const spare of [200, 5, 0]) {
    const memory = Buffer.alloc(text.length + spare + 20, '#')
    memory.write(text)
    const writes = vi.spyOn(ours!, 'write')
    const following = envelope({ rcpts: [`after-${spare}@example.jp`] })
    const sent = await session.transact(mail({ body: memory.subarray(0, text.length), spare }), following)
    expect(codes(sent)).toBe('250 | 250 | 354 | 250')
    expect(writes.mock.calls.filter(([chunk]) => String(chunk).includes('.\r\nMAIL'))).toHaveLength(1)
    expect(memory.toString('latin1', text.length + spare)).toBe('#'.repeat(20))
    writes.mockRestore()
    expect(codes(await session.transact(mail({ rcpts: following.rcpts }), null))).toBe('250 | 250 | 354 | 250')
  }
  expect(peer.heard.filter((command) => command.startsWith('RCPT'))).toEqual(
    [200, 5, 0].flatMap((spare) => ['RCPT TO:<taro@example.jp>', `RCPT TO:<after-${spare}@example.jp>`]),
  )
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
