/** After 354 there are two ways out (delivery.md §5): whoever cuts the line, and wherever, the world never accepts an empty or a truncated mail. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { IspRow } from '../../../scripts/world/models/isp.ts'
import { startWorld } from '../../../scripts/world/world.ts'
import { dotStuff } from './body.ts'
import { openSession } from './open.ts'
import { envelope, options, PATIENT } from './testing/client.ts'

const row: IspRow = {
  name: 'far',
  hosts: ['mx.far.example'],
  domains: [{ domain: 'far.example', mx: [[10, 'mx.far.example']] }],
  ehlo: ['PIPELINING', 'SIZE 50000000', '8BITMIME'],
  idleMs: 60_000,
  behaviours: [],
}

/** Who cuts: ourselves after some milliseconds (a lease that ends), or the far end in mid-body. */
const cuts = fc.oneof(
  fc.record({ by: fc.constant('us' as const), afterMs: fc.integer({ min: 0, max: 12 }) }),
  fc.constant({ by: 'them' as const }),
  fc.constant({ by: 'nobody' as const }),
)
const line = fc.oneof(fc.constant('.'), fc.constant('..'), fc.constant(''), fc.constant('x'.repeat(900)), fc.string({ maxLength: 80 }))
const body = fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 40 }), times: fc.integer({ min: 1, max: 60 }) })

test('every mail that the far end keeps is whole, whoever cut the line', async () => {
  await using world = await startWorld({ rows: [row], keepBodies: 10_000 })
  const host = 'mx.far.example'
  const peer = { address: world.addresses.of(host), port: world.smtpPort }
  const seen = { kept: 0, cut: 0, claimed: 0 }
  let number = 0
  await fc.assert(
    fc.asyncProperty(body, cuts, async ({ lines, times }, cut) => {
      number++
      const rcpt = `${cut.by === 'them' ? 'drop-in-data' : 'ok'}+${number}@far.example`
      const text = lines.map((one) => one.replaceAll(/[^\x20-\x7e]/g, '?'))
      const content = `Message-ID: <${number}@acme.example>\r\nSubject: ${number}\r\n\r\n${`${text.join('\r\n')}\r\n`.repeat(times)}end of ${number}\r\n`
      const opened = await openSession(options(peer, { host, timeouts: { ...PATIENT, quitMs: 50 } }))
      if (opened.kind === 'failed') throw new Error(JSON.stringify(opened))
      const { session } = opened
      const sending = session.transact({ ...envelope({ rcpts: [rcpt] }), body: dotStuff(Buffer.from(content)) }, null)
      const timer = cut.by === 'us' ? setTimeout(() => session.close(), cut.afterMs) : null
      const told = await sending
      if (timer !== null) clearTimeout(timer)
      session.close()
      await session.over
      await expect.poll(() => world.openSessions('far'), { interval: 1 }).toBe(0)

      const kept = world.record.bodies(rcpt)
      for (const bytes of kept) expect(bytes.toString()).toBe(content)
      const claimed = (told.dot[0]?.code ?? 0) === 250
      if (claimed) expect(kept).toHaveLength(1)
      if (told.lost !== null && told.lost.bodySent !== 'dotSent') expect(kept).toEqual([])
      seen.kept += kept.length
      if (told.lost !== null) seen.cut++
      if (claimed) seen.claimed++
    }),
    { numRuns: 150 },
  )
  expect(world.record.isps.get('far')?.withoutMessageId ?? 0, 'empty mails').toBe(0)
  // a property that met none of its cases proves nothing
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(10)
})
