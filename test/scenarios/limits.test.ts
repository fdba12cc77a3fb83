/** S4 in the far end's own record: no provider ever sees more sessions, connects, mails a session or mails a second than it bears. */
import { expect, it } from 'vitest'
import { DEMO_ISPS, DEMO_RETRY, DEMO_RULES } from '../../scripts/demo/patience.ts'
import { demoRecipients } from '../../scripts/world/demo-list.ts'
import { PROVIDERS } from '../../scripts/world/models/isps.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'

const DRAWN = 6_000
const RECIPIENTS = 1_500
const NAMES = PROVIDERS.map(({ name }) => name)

/** Refusals of the world's providers for what was too much, by `isp behaviour`; and who got a mail. */
async function sent(isp: readonly object[], enough: 'all' | 'until-something-was-too-much'): Promise<{ excess: readonly string[]; delivered: number }> {
  await using world = await startWorld({})
  await using cluster = await startCluster({
    senders: 2,
    fleet: loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }, { isp, more: { retry: DEMO_RETRY, rule: DEMO_RULES } }),
  })
  const plain = demoRecipients(DRAWN, 1).filter(({ design, isp: name }) => design.why === 'plain' && NAMES.includes(name))
  const excess = () =>
    world
      .behavioursMet()
      .filter(({ isp: name }) => NAMES.includes(name))
      .flatMap(({ isp: name, behaviours }) =>
        behaviours.filter(({ provokedBy, met }) => provokedBy === 'excess' && met > 0).map((one) => `${name} ${one.name}`),
      )
  await cluster.publish(
    'acme',
    noticeTo(
      'many',
      plain.slice(0, RECIPIENTS).map(({ address }) => address),
    ),
  )
  const end = await cluster.until('acme', 'many', ({ state }) => state === 'finished' || (enough !== 'all' && excess().length > 0), 120_000)
  return { excess: excess(), delivered: end.delivered }
}

it('keeps every limit of every provider', { timeout: 180_000 }, async () => {
  expect(await sent(DEMO_ISPS, 'all')).toEqual({ excess: [], delivered: RECIPIENTS })
})

it('is seen to overstep when the limits are forgotten', { timeout: 180_000 }, async () => {
  const forgotten = DEMO_ISPS.map((row) => ({
    ...row,
    sessions_per_ip: 60,
    sessions_start: 60,
    mails_per_session: 10_000,
    mails_per_second: 1_000,
    connects_per_minute: 10_000,
  }))
  expect((await sent(forgotten, 'until-something-was-too-much')).excess).not.toEqual([])
})
