import { expect, test } from 'vitest'
import { connectBus } from '../../services/runtime/bus.ts'
import { bytes, listeningLog, natsForFile, testStream, text } from '../kit/bus.ts'
import { freePort, startNats } from '../kit/nats.ts'

const here = natsForFile()

test('a question has an answer, nobody, or a time-out, and never an exception', async () => {
  const { bus } = here
  using _ = bus.serve('talk.echo', (call) => {
    call.reply(call.body, { 'Hato-Seen': call.headers['Hato-Mark'] ?? 'none' })
    call.reply(bytes('a second answer is not sent'))
  })
  using silent = bus.serve('talk.silent', () => {})
  expect(silent.subject).toBe('talk.silent')
  const answer = await bus.ask('talk.echo', bytes('hello'), { timeoutMs: 1_000, headers: { 'Hato-Mark': 'm' } })
  expect(answer).toMatchObject({ kind: 'answer', headers: { 'Hato-Seen': 'm' } })
  expect(answer.kind === 'answer' && text(answer.body)).toBe('hello')
  expect(await bus.ask('talk.nobody', bytes(''), { timeoutMs: 1_000 })).toEqual({ kind: 'nobody' })
  expect(await bus.ask('talk.silent', bytes(''), { timeoutMs: 150 })).toEqual({ kind: 'timeout' })
})

test('what is let go of is not heard any more', async () => {
  const { bus } = here
  const heard: string[] = []
  const listening = bus.hear('talk.said', ({ body }) => void heard.push(text(body)))
  bus.say('talk.said', bytes('1'))
  await bus.flush()
  listening[Symbol.dispose]()
  bus.say('talk.said', bytes('2'))
  await bus.flush()
  expect(heard).toEqual(['1'])
})

test('asking all gathers every answer, ends early when there are enough, and at once when nobody listens', async () => {
  const { bus, nats, log } = here
  await using other = await connectBus({ url: nats.url, name: 'other', log })
  using _a = bus.serve('talk.all', (call) => call.reply(bytes('a')))
  using _b = other.serve('talk.all', (call) => call.reply(bytes('b')))
  await other.flush()
  expect((await bus.askAll('talk.all', bytes(''), { timeoutMs: 300 })).map(text).toSorted()).toEqual(['a', 'b'])
  const began = performance.now()
  expect(await bus.askAll('talk.all', bytes(''), { timeoutMs: 5_000, enough: 2 })).toHaveLength(2)
  expect(await bus.askAll('talk.none', bytes(''), { timeoutMs: 5_000 })).toEqual([])
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('a queue group shares the work', async () => {
  const { bus } = here
  let answered = 0
  const serve = () => bus.serve('talk.shared', (call) => call.reply(bytes(String(++answered))), { queue: 'q' })
  using _a = serve()
  using _b = serve()
  await bus.ask('talk.shared', bytes(''), { timeoutMs: 1_000 })
  await bus.flush()
  expect(answered).toBe(1)
})

test('an announced service is found and says its version', async () => {
  const { bus } = here
  await using _ = await bus.announce({ name: 'hato-sender', version: '0.1.0', description: 'test', metadata: { node: 'n1' } })
  const found = await bus.askAll('$SRV.INFO.hato-sender', bytes(''), { timeoutMs: 1_000, enough: 1 })
  expect(JSON.parse(text(found[0] ?? bytes('{}')))).toMatchObject({ name: 'hato-sender', version: '0.1.0', metadata: { node: 'n1' } })
})

test('connecting waits for a server that comes later, and says so', async () => {
  const log = listeningLog()
  const port = await freePort()
  const connecting = connectBus({ url: `nats://127.0.0.1:${port}`, name: 'early', log })
  await new Promise((resolve) => setTimeout(resolve, 300)) // long enough for one refused dial
  expect(log.lines.map((line) => line.event)).toContain('nats-waited')
  await using _ = await startNats({ port })
  await using bus = await connecting
  expect(bus.connected).toBe(true)
})

test('waiting for NATS ends when the process is told to stop', async () => {
  const stop = new AbortController()
  const connecting = connectBus({ url: `nats://127.0.0.1:${await freePort()}`, name: 'stopped', log: listeningLog(), signal: stop.signal })
  stop.abort(new Error('stop'))
  await expect(connecting).rejects.toThrow()
})

test('refused credentials are a bad configuration; a forbidden subject is told to whoever asked', async () => {
  await using nats = await startNats({
    extra: `authorization { users: [ { user: sender, password: right, permissions: { publish: { deny: "secret.>" } } } ] }`,
  })
  await expect(connectBus({ url: nats.url, name: 'x', log: listeningLog(), credentials: { user: 'sender', pass: 'wrong' } })).rejects.toMatchObject({
    name: 'BadConfig',
  })
  await using bus = await connectBus({ url: nats.url, name: 'x', log: listeningLog(), credentials: { user: 'sender', pass: 'right' } })
  await expect(bus.ask('secret.thing', bytes(''), { timeoutMs: 3_000 })).rejects.toMatchObject({ code: 'denied' })
})

test('the room of the store is told where the account has a limit', async () => {
  await using nats = await startNats({
    extra: `accounts { HATO { jetstream: { max_file: 64MB, max_mem: 8MB }, users: [ { user: ops, password: pw } ] } }`,
  })
  await using bus = await connectBus({ url: nats.url, name: 'ops', log: listeningLog(), credentials: { user: 'ops', pass: 'pw' } })
  await bus.ensureStreams([testStream('ROOM', ['room.>'])])
  await bus.store('room.a', new Uint8Array(1_000_000))
  const use = await bus.storeUse()
  expect(use.allowedBytes).toBe(64 * 1024 * 1024)
  expect(use.usedBytes).toBeGreaterThan(1_000_000)
})
