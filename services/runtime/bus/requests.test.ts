import { headers, type Msg, type NatsConnection } from '@nats-io/nats-core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Requests } from './requests.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A connection that says nothing by itself. */
function silent() {
  const asked: string[] = []
  let hear: (error: null, msg: Msg) => void = () => {}
  const nc = {
    subscribe(_: string, { callback }: { callback: typeof hear }) {
      hear = callback
    },
    publish: (_: string, __: Uint8Array, { reply }: { reply: string }) => void asked.push(reply),
  }
  const requests = new Requests(nc as unknown as NatsConnection, '_INBOX.x')
  const answer = (at: number) => hear(null, { subject: asked[at], data: new Uint8Array(1), headers: headers() } as unknown as Msg)
  const send = (timeoutMs: number) => {
    const sent = performance.now()
    return requests.send('s', new Uint8Array(), null, timeoutMs).then(({ kind }) => ({ kind, afterMs: performance.now() - sent }))
  }
  return { requests, answer, send }
}

test('each question runs out at its own time, at most 50 ms late, whatever was asked before it', async () => {
  const { send } = silent()
  const sent = [5_000, 1_000, 1_030, 4_990, 20, 40].map((ms) => ({ ms, told: send(ms) }))
  await vi.advanceTimersByTimeAsync(6_000)
  for (const { ms, told } of sent) {
    const { kind, afterMs } = await told
    expect(kind).toBe('timeout')
    expect(afterMs).toBeGreaterThanOrEqual(ms - 1)
    expect(afterMs).toBeLessThanOrEqual(ms + 51)
  }
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is left to wake the process when everybody has an answer, or the connection broke', async () => {
  const { requests, answer, send } = silent()
  const [one, two] = [send(1_000), send(2_000)]
  answer(0)
  answer(1)
  expect([(await one).kind, (await two).kind, vi.getTimerCount()]).toEqual(['reply', 'reply', 0])
  const cut = send(1_000)
  requests.endAll('cut')
  expect([(await cut).kind, vi.getTimerCount()]).toEqual(['cut', 0])
  const late = send(300)
  await vi.advanceTimersByTimeAsync(400)
  expect((await late).kind).toBe('timeout')
})
