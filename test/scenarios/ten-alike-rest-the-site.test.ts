import { expect, it } from 'vitest'
import { countsOf, NOTHING_AMISS, startScene } from '../kit/scene.ts'

const PEOPLE = 80
const ALIKE = 10

/** A directory that has lost its users says so of everybody: by its row each would bounce, and be learnt as dead. */
const BROKEN = { stage: 'rcpt', does: 'reply', code: 550, enhanced: '5.2.1', text: 'The email account that you tried to reach is disabled' } as const

it('ten recipients in a row who are refused alike are the site’s matter: it rests, nobody further bounces, and who waited is delivered once it is well', async () => {
  await using scene = await startScene({ fleet: { isp: [{ name: 'google', busy_rest: '5s' }] } })
  scene.world.fault('google', 'broken', BROKEN)
  const people = Array.from({ length: PEOPLE }, (_, at) => `taro${at}@gmail.com`)
  await scene.send('alike', people)

  const rests = await scene.until(
    'alike',
    ({ bounced, waitingFor }) => bounced >= ALIKE || (waitingFor ?? []).some(({ because }) => because === 'site-busy'),
    20_000,
  )
  scene.world.lift('google', 'broken')
  expect(rests.bounced, 'recipients that bounced before the tenth').toBe(ALIKE - 1)
  expect((await scene.isp('google'))?.resting).toMatchObject({ because: 'site-busy' })

  expect(await scene.ended('alike', 30_000)).toMatchObject({ delivered: PEOPLE - ALIKE + 1, bounced: ALIKE - 1 })
  const said = await scene.said('alike')
  expect(Object.keys(countsOf(said)).sort()).toEqual(['bounced mailbox-disabled recipient', 'deferred site-busy site', 'delivered'])
  expect((await scene.standing('google')).filter(({ mode }) => mode === 'cooling' || mode === 'blocked')).toEqual([])
  expect(await scene.account('alike')).toMatchObject(NOTHING_AMISS)
})
