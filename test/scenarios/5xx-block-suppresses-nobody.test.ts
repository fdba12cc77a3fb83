/** delivery.md §3: Outlook's S3150 is a 550 about our address. It ends nobody at once and suppresses nobody; after three tries the recipient bounces as `blocked`. */
import { expect, it } from 'vitest'
import { OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { accountOf } from '../kit/far-end.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'

const BLOCKED = 'say-outlook-s3150+a@outlook.com'
const OTHERS = ['ok+1@gmail.com', 'ok+2@yahoo.com']
/** The built-in row's judgement with its patience cut short: the row rests the address for two hours and asks for a person. */
const RULE = {
  id: 'lab/s3150',
  seen: "550 5.7.1 Unfortunately, messages from your host weren't sent. (S3150).",
  text: '\\(s3150\\)',
  class: 'blocked',
  blames: 'source',
  rest: '1s',
}

it('defers twice, bounces as blocked at the third try, and writes no entry', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ behaviours: 'none' })
  await using cluster = await startCluster({
    senders: 1,
    fleet: loopbackFleet(
      { dns: world.dns, smtpPort: world.smtpPort },
      { ips: 1, more: { rule: [RULE], retry: { first: '1s', source: { steps: ['1s'] } }, suppression: { settle: '100ms', strikes: 1, over: '0s' } } },
    ),
  })
  await cluster.publish('acme', noticeTo('blocked', [BLOCKED, ...OTHERS]))
  const end = await cluster.until('acme', 'blocked', ({ state }) => state === 'finished')
  expect(end).toMatchObject({ delivered: 2, bounced: 1 })
  const tries: string[] = []
  for await (const { body } of cluster.bus.scan(STREAM.outcomes, wildcard('outcome', { tenant: 'acme', campaign: 'blocked' }))) {
    for (const { rcpt, code, outcome, class: replyClass, suppress } of OutcomeChunk.parse(JSON.parse(new TextDecoder().decode(body))).outcomes)
      if (rcpt === BLOCKED && code === 550) tries.push(`${outcome} ${replyClass}${suppress ? ' suppress' : ''}`)
  }
  expect(tries).toEqual(['deferred blocked', 'deferred blocked', 'bounced blocked'])
  expect(await accountOf(cluster, world, 'blocked', [BLOCKED, ...OTHERS])).toMatchObject({ lost: [], doubled: [], unaccounted: [] })

  // The next mail is refused like this one, not held back by a list.
  await cluster.publish('acme', noticeTo('next', [BLOCKED], { expiresAfter: '2s' }))
  expect(await cluster.until('acme', 'next', ({ state }) => state === 'finished')).toMatchObject({ suppressed: 0, delivered: 0 })
  expect(await cluster.ask('suppression', { tenant: 'acme' }, { action: 'list' })).toMatchObject({ total: 0 })
  expect(await cluster.ask('suppression', { tenant: 'acme' }, { action: 'held' })).toMatchObject({ total: 0 })
})
