import { expect, it } from 'vitest'
import { startScene } from '../kit/scene.ts'

const PEOPLE = 60
/** More than five of the last 500 are too many; one sender counts them. */
const BELIEVED = 5

it('a few dots without a reply count as delivered; when more than one in a hundred stay unanswered the site rests and the mails are sent again', async () => {
  await using scene = await startScene({ fleet: { isp: [{ name: 'google', busy_rest: '4s' }] } })
  // Cut instead of a reply, and nothing kept: what is believed is lost.
  scene.world.fault('google', 'forgets', { stage: 'dot', does: 'cut' })
  const people = Array.from({ length: PEOPLE }, (_, at) => `taro${at}@gmail.com`)
  await scene.send('dots', people)
  const rests = await scene.until(
    'dots',
    ({ unconfirmed, waitingFor }) => unconfirmed > BELIEVED || (waitingFor ?? []).some(({ because }) => because === 'lost-dot'),
  )
  scene.world.lift('google', 'forgets')
  expect(rests.unconfirmed).toBe(BELIEVED)
  expect((await scene.isp('google'))?.resting).toMatchObject({ because: 'lost-dot' })

  expect(await scene.ended('dots', 30_000)).toMatchObject({ delivered: PEOPLE, unconfirmed: BELIEVED })
  const unconfirmed = (await scene.said('dots')).filter((one) => one.unconfirmed).map(({ rcpt }) => rcpt)
  const { lost, doubled, unaccounted } = await scene.account('dots')
  expect({ lost: [...lost].sort(), doubled, unaccounted }).toEqual({ lost: unconfirmed.sort(), doubled: [], unaccounted: [] })
})
