import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createResolver } from '../../services/runtime/dns/resolver.ts'
import { expect, test } from 'vitest'
import { until } from './bus.ts'
import { startSinks } from './sinks.ts'

/** Postfix's own sender: neither end of this test is ours. */
async function smtpSource(to: string, rcpt: string, mails: number) {
  const program = existsSync('/usr/sbin/smtp-source') ? '/usr/sbin/smtp-source' : 'smtp-source'
  const child = spawn(program, ['-m', String(mails), '-s', '3', '-f', 'news@acme.example', '-t', rcpt, to], { stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
}

test('the sinks count what came, by their own counters and by recipient and Message-ID', async () => {
  await using sinks = await startSinks(2, 3)
  await Promise.all([
    smtpSource(`127.0.2.200:${sinks.smtpPort}`, 'a@d0.sink0.example', 40),
    smtpSource(`127.0.2.201:${sinks.smtpPort}`, 'b@d1.sink1.example', 25),
  ])
  await until('the counters to be printed', () => sinks.counted() === 65)
  const stored = await sinks.stored()
  expect([...stored].map(([rcpt, mails]) => [rcpt, mails.size, Math.max(...mails.values())])).toEqual([
    ['a@d0.sink0.example', 40, 1],
    ['b@d1.sink1.example', 25, 1],
  ])
})

test('their domains lead to them', async () => {
  await using sinks = await startSinks(2, 2)
  expect(sinks.domains).toEqual(['d0.sink0.example', 'd0.sink1.example', 'd1.sink0.example', 'd1.sink1.example'])
  await using resolver = createResolver({ servers: [sinks.dns] })
  expect(await resolver.resolve('d1.sink1.example', 'MX')).toMatchObject({ records: [{ exchange: 'mx.sink1.example' }] })
})
