import { expect, it } from 'vitest'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const PEOPLE = 30
const UNKNOWN = 10

it('an unknown user told after the dot (Yahoo Japan) ends that recipient as unknown, and neither the content nor the IP is blamed', async () => {
  await using scene = await startScene()
  const people = Array.from({ length: PEOPLE }, (_, at) => `${at % 3 === 0 ? 'unknown' : 'ok'}+${at}@yahoo.co.jp`)
  await scene.send('dot', people)
  expect(await scene.ended('dot', 30_000)).toMatchObject({ delivered: PEOPLE - UNKNOWN, bounced: UNKNOWN })

  const refused = (await scene.said('dot')).filter(({ outcome }) => outcome !== 'delivered')
  expect(refused).toHaveLength(UNKNOWN)
  expect(new Set(refused.map(({ outcome, stage, class: replyClass, blames }) => `${outcome} ${stage} ${replyClass} ${blames}`))).toEqual(
    new Set(['bounced dot unknown-user recipient']),
  )
  expect((await scene.standing('yahoo-jp')).filter(({ mode }) => mode === 'cooling' || mode === 'blocked')).toEqual([])
  expect(await scene.account('dot')).toMatchObject(NOTHING_AMISS)
})
