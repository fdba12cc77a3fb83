import { expect, it } from 'vitest'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const PEOPLE = 30

it('552 for too many recipients is temporary (docomo; RFC 5321 4.5.3.1.10): uncharged, tried again at once, nobody bounces', async () => {
  await using scene = await startScene()
  const people = Array.from({ length: PEOPLE }, (_, at) => `${at % 5 === 0 ? 'say-docomo-recipients-x1' : 'ok'}+${at}@docomo.ne.jp`)
  await scene.send('full', people)
  const end = await scene.until('full', ({ state, bounced }) => state === 'finished' || bounced > 0, 30_000)
  expect(end).toMatchObject({ delivered: PEOPLE, bounced: 0 })

  const refused = (await scene.said('full')).filter(({ code }) => code === 552)
  expect(refused).toHaveLength(PEOPLE / 5)
  expect(new Set(refused.map(({ outcome, class: replyClass, blames }) => `${outcome} ${replyClass} ${blames}`))).toEqual(
    new Set(['deferred too-many-recipients nobody']),
  )
  expect(await scene.account('full')).toMatchObject(NOTHING_AMISS)
})
