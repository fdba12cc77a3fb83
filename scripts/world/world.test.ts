import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { rowWith } from './models/talk.testkit.ts'
import { greet } from './smtp/client.testkit.ts'
import { startWorld, type World } from './world.ts'

const run = promisify(execFile)

/** Both senders are part of what this project is tested against; without them nothing is proven, so their absence is a failure. */
async function tool(name: 'swaks' | 'smtp-source'): Promise<string> {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin']) {
    const path = `${folder}/${name}`
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  throw new Error(`${name} is not installed: apt-get install swaks postfix`)
}

const swaks = async (world: World, mx: string, ...args: readonly string[]): Promise<number> => {
  const server = `${world.addresses.of(mx)}:${world.smtpPort}`
  return run(await tool('swaks'), ['--server', server, '--from', 'a@acme.example', '--local-interface', '127.0.1.5', ...args]).then(
    () => 0,
    (error: { readonly code?: number }) => error.code ?? -1,
  )
}

const smtpSource = async (world: World, mx: string, ...args: readonly string[]): Promise<void> => {
  await run(await tool('smtp-source'), ['-f', 'a@acme.example', ...args, `${world.addresses.of(mx)}:${world.smtpPort}`])
}

describe('the record', () => {
  it('counts what smtp-source sent: mails, recipients, sessions', async () => {
    await using world = await startWorld({ behaviours: 'none' })
    await smtpSource(world, 'mx1.box-01.example', '-d', '-s', '4', '-m', '200', '-l', '10240', '-r', '3', '-t', 'ok@shop-001.example')
    const { taken, isps } = world.summary()
    expect(taken).toBe(600)
    expect(isps['box-01']).toMatchObject({
      stored: 200,
      rcpts: 600,
      sources: { '127.0.0.1': { connects: 4, maxOpen: 4, mails: 200 } },
    })
    // smtp-source gives the next mail to whichever session is free: the fullest of four has a quarter at least, in mails of three recipients.
    const fullest = isps['box-01']?.sources['127.0.0.1']?.maxRcptsPerSession ?? 0
    expect(fullest).toBeGreaterThanOrEqual(150)
    expect(fullest).toBeLessThan(600)
    expect(fullest % 3).toBe(0)
  })

  it('counts what swaks sent, over TLS and in plain text, and what it was refused', async () => {
    await using world = await startWorld()
    expect(await swaks(world, 'aspmx.l.google.com', '--tls', '--to', 'ok@workspace-customer.example')).toBe(0)
    expect(await swaks(world, 'mfsmax.docomo.ne.jp', '--to', 'ok+1@docomo.ne.jp,ok+2@docomo.ne.jp')).toBe(0)
    expect(await swaks(world, 'mfsmax.docomo.ne.jp', '--to', 'unknown@docomo.ne.jp')).not.toBe(0)
    expect(await swaks(world, 'mx1.mail.yahoo.co.jp', '--to', 'unknown@yahoo.co.jp')).not.toBe(0)
    const { taken, isps } = world.summary()
    expect(taken).toBe(3)
    expect(isps.google?.sources['127.0.1.5']).toMatchObject({ stored: 1, encrypted: 1, returnDomains: { 'acme.example': 1 } })
    expect(isps.docomo?.sources['127.0.1.5']).toMatchObject({ stored: 1, rcpts: 2, rejected: { 'rcpt 550': 1 } })
    expect(isps['yahoo-jp']?.sources['127.0.1.5']).toMatchObject({ stored: 0, rejected: { 'dot 554': 1 } })
    expect(world.record.arrivals('ok@workspace-customer.example')[0]?.messageId).toMatch(/^<.+@.+>$/)
  })

  it('takes ten thousand mails of 10 KB for less than half a millisecond of a core each', async () => {
    await using world = await startWorld({ behaviours: 'none' })
    const before = process.cpuUsage()
    await smtpSource(world, 'mx1.box-01.example', '-d', '-s', '10', '-m', '10000', '-l', '10240', '-t', 'ok@shop-001.example')
    const { user, system } = process.cpuUsage(before)
    expect(world.record.taken).toBe(10_000)
    // 0.19 ms alone (smtp-source waits for each reply, so it is mostly system calls); the rest is for crowded machines
    expect((user + system) / 1000 / 10_000).toBeLessThan(0.5)
  })
})

describe('faults planted into the record', () => {
  const published = [{ campaign: 'spring', addresses: ['ok+1@test.example', 'ok+2@test.example'] }]
  const sendBoth = async (world: World): Promise<void> => {
    using client = await greet('127.0.2.1', world.smtpPort)
    expect([await client.send('ok+1', '<1>'), await client.send('ok+2', '<2>')]).toEqual([250, 250])
  }

  it('nothing planted: the verdict is content', async () => {
    await using world = await startWorld({ rows: [rowWith()] })
    await sendBoth(world)
    expect(world.verdict(published)).toMatchObject({ ok: true, expected: 2, delivered: 2, lost: 0, doubled: 0 })
  })

  it('lose-one: the verdict fails and names the mail', async () => {
    await using world = await startWorld({ rows: [rowWith()], plants: ['lose-one'] })
    await sendBoth(world)
    expect(world.verdict(published)).toMatchObject({ ok: false, lost: 1, lostSamples: [{ rcpt: 'ok+1@test.example', campaigns: ['spring'] }] })
    expect(world.record.planted).toEqual([{ plant: 'lose-one', rcpt: 'ok+1@test.example', messageId: '<1>' }])
  })

  it('repeat-one: the verdict fails and names the mail', async () => {
    await using world = await startWorld({ rows: [rowWith()], plants: ['repeat-one'] })
    await sendBoth(world)
    expect(world.verdict(published)).toMatchObject({
      ok: false,
      lost: 0,
      doubled: 1,
      doubledSamples: [{ rcpt: 'ok+1@test.example', messageId: '<1>', count: 2 }],
    })
  })
})

describe('a world', () => {
  it('hears all ISPs on one address too, told apart by where they were called', async () => {
    await using world = await startWorld({ bind: '0.0.0.0', base: '127.0.3' })
    using client = await greet('127.0.3.3', world.smtpPort)
    expect(await client.say('MAIL FROM:<a@b.example>')).toBe(530)
    expect(Object.keys(world.summary().isps)).toEqual(['google'])
  })

  it('rejects who waits for what does not come, and who still waits when it closes', async () => {
    const world = await startWorld({ rows: [rowWith()] })
    await expect(world.until(({ taken }) => taken === 1, 20)).rejects.toThrow('within 20 ms')
    const left = world.until(({ taken }) => taken === 1, 60_000)
    const ends = expect(left).rejects.toThrow('closed while somebody waited')
    await world[Symbol.asyncDispose]()
    await ends
  })
})
