import { expect, test } from 'vitest'
import { connectBus } from '../../services/runtime/bus.ts'
import { bytes, listeningLog, natsForFile, testStream, text, until } from '../kit/bus.ts'
import { startNats } from '../kit/nats.ts'

const here = natsForFile({ sync: 'sometimes' })

test('the leader reads by sequence, by subject’s last and by subject’s next, wildcards too; a miss is null', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('READ', ['read.>'])])
  await bus.store('read.a', bytes('1'), { headers: { 'Hato-Kind': 'x' } })
  await bus.store('read.b', bytes('2'))
  await bus.store('read.a', bytes('3'))
  expect(await bus.readLast('READ', 'read.a')).toMatchObject({ seq: 3, subject: 'read.a' })
  expect(await bus.readLast('READ', 'read.*')).toMatchObject({ seq: 3 })
  expect(await bus.readLast('READ', 'read.none')).toBeNull()
  expect(await bus.readSeq('READ', 1)).toMatchObject({ headers: { 'Hato-Kind': 'x' } })
  expect(await bus.readSeq('READ', 9)).toBeNull()
  expect(await bus.readNext('READ', 'read.*', 1)).toMatchObject({ seq: 2 })
  expect(await bus.readNext('READ', 'read.b', 2)).toBeNull()
  expect(Math.abs(((await bus.readSeq('READ', 1))?.at ?? 0) - Date.now())).toBeLessThan(5_000)
  expect(await bus.fetchSeq('READ', 2)).toMatchObject({ seq: 2, subject: 'read.b', headers: {} })
  expect(await bus.fetchSeq('READ', 9)).toBeNull()
})

test('a scan gives what was there when it began, in order, from any sequence, on a work queue too', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('SCAN', ['scan.>'], { retention: 'workqueue', discard: 'old' })])
  const big = 'x'.repeat(3_000) // 700 of them pass the 1 MB and the 256 messages of one batch
  await Promise.all(Array.from({ length: 700 }, (_, n) => bus.store(`scan.${n % 2 ? 'odd' : 'even'}`, bytes(`${n} ${big}`))))
  const seen: number[] = []
  for await (const message of bus.scan('SCAN', 'scan.odd')) {
    if (seen.length === 0) await bus.store('scan.odd', bytes('too late'))
    seen.push(message.seq)
    expect(message.subject).toBe('scan.odd')
  }
  expect(seen.length).toBe(350)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  const rest: number[] = []
  for await (const message of bus.scan('SCAN', 'scan.>', { fromSeq: 691 })) rest.push(message.seq)
  expect(rest).toEqual(Array.from({ length: 11 }, (_, n) => 691 + n))
  const none: number[] = []
  for await (const message of bus.scan('SCAN', 'scan.none')) none.push(message.seq)
  expect(none).toEqual([])
})

test('to remove what went already is false at once, also in front of the first message', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('WENT', ['went.>'])])
  for (const body of ['1', '2', '3']) await bus.store('went.a', bytes(body))
  expect([await bus.remove('WENT', 1), await bus.remove('WENT', 3)]).toEqual([true, true])
  const began = performance.now()
  expect([await bus.remove('WENT', 1), await bus.remove('WENT', 3), await bus.remove('WENT', 99)]).toEqual([false, false, false])
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('a scan ends although the last message went meanwhile', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('GOES', ['goes.>'])])
  for (const body of ['1', '2', '3']) await bus.store('goes.a', bytes(body))
  const seen: string[] = []
  for await (const message of bus.scan('GOES', 'goes.a')) {
    if (seen.length === 0) expect(await bus.remove('GOES', 3)).toBe(true)
    seen.push(text(message.body))
  }
  expect(seen.slice(0, 2)).toEqual(['1', '2'])
  expect(await bus.remove('GOES', 3)).toBe(false)
  expect(await bus.purge('GOES', 'goes.a', { upToSeq: 1 })).toBe(1)
  expect(await bus.purge('GOES', 'goes.*')).toBe(1)
})

test('a follower gets every message once and in order over a kill and restart of the server', async () => {
  await using nats = await startNats()
  await using bus = await connectBus({ url: nats.url, name: 'follower', log: listeningLog() })
  await bus.ensureStreams([testStream('LONG', ['long.>'])])
  for (let n = 0; n < 50; n++) await bus.store('long.a', bytes(String(n)))
  const seen: number[] = []
  const following = bus.follow('LONG', ['long.>'])
  const reading = (async () => {
    for await (const message of following) {
      seen.push(Number(text(message.body)))
      if (seen.length === 150) break
    }
  })()
  await following.caughtUp
  expect(seen.length).toBe(50)
  await nats.kill()
  await nats.start()
  const writing = (async () => {
    for (let n = 50; n < 150; n++) {
      if (n === 100) {
        await nats.kill()
        await nats.start()
      }
      await bus.store('long.a', bytes(String(n)))
    }
  })()
  await writing
  await reading
  expect(seen).toEqual(Array.from({ length: 150 }, (_, n) => n))
})

test('a follower of an empty stream is caught up at once, and its silence is measured', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('EMPTY', ['empty.>'])])
  const following = bus.follow('EMPTY', ['empty.a', 'empty.b'])
  const reading = (async () => {
    for await (const message of following) return text(message.body)
  })()
  await following.caughtUp
  expect(following.silentMs()).toBeLessThan(1_000)
  await bus.store('empty.c', bytes('not heard'))
  await bus.store('empty.b', bytes('heard'))
  expect(await reading).toBe('heard')
})

test('a slow reader holds the server back instead of filling memory, and still gets everything', async () => {
  const { bus } = here
  await bus.ensureStreams([testStream('SLOW', ['slow.>'])])
  const body = new Uint8Array(100_000)
  await Promise.all(Array.from({ length: 600 }, () => bus.store('slow.a', body))) // 60 MB; the server lets at most 32 MB be unread
  const readBytes = () => bus.stats().inBytes
  const before = readBytes()
  let unread = 0
  let count = 0
  for await (const message of bus.follow('SLOW', ['slow.a'])) {
    count++
    if (count < 10) await new Promise((resolve) => setTimeout(resolve, 50)) // time enough for all 60 MB, if nothing held them back
    unread = Math.max(unread, readBytes() - before - count * 100_000)
    if (message.seq === 600) break
  }
  expect(count).toBe(600)
  expect(unread).toBeLessThan(34_000_000)
})

test('what is asked while the server is away is asked when it is back; what was under way is told that it was cut', async () => {
  await using nats = await startNats()
  const log = listeningLog()
  await using bus = await connectBus({ url: nats.url, name: 'patient', log })
  await bus.ensureStreams([testStream('AWAY', ['away.>'])])
  nats.freeze()
  const underWay = bus.store('away.a', bytes('?'), { timeoutMs: 20_000 }).catch((error: unknown) => error)
  await nats.kill()
  expect(await underWay).toMatchObject({ name: 'Infrastructure', code: 'cut' })
  await until('the loss to be noticed', () => !bus.connected)
  const waiting = bus.store('away.a', bytes('1'))
  const reading = bus.readLast('AWAY', 'away.none')
  await nats.start()
  expect((await waiting).kind).toBe('stored')
  expect(await reading).toBeNull()
  expect(log.lines.map((line) => line.event)).toEqual(expect.arrayContaining(['nats-lost', 'nats-regained']))
})

test('a store on a subject no stream takes says so instead of waiting for ever', async () => {
  await expect(here.bus.store('nowhere.at.all', bytes('1'), { timeoutMs: 600 })).rejects.toMatchObject({ code: 'no-leader', nothingHappened: true })
})
