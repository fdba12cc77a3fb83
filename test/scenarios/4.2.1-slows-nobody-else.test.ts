import { expect, it } from 'vitest'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const PEOPLE = 300
const every = (nth: number) => (at: number) => at % nth === 0

it('450 4.2.1 and 452 4.2.2 are one mailbox each: it waits, and everybody else at the site goes on at once', async () => {
  const retry = { first: '1s', 'recipient-rate': { steps: ['4s'] }, 'mailbox-full': { steps: ['4s'] } }
  await using scene = await startScene({ fleet: { more: { retry } } })
  const people = Array.from({ length: PEOPLE }, (_, at) =>
    every(10)(at) ? `say-google-user-rate-x1+${at}@gmail.com` : every(15)(at + 1) ? `say-google-full-x1+${at}@gmail.com` : `ok+${at}@gmail.com`,
  )
  const slow = people.filter((address) => address.startsWith('say-'))
  await scene.send('crowded', people)

  // The others are all there before the first of the slow ones may be tried again.
  const enough = PEOPLE - slow.length
  const rests = ({ because }: { readonly because: string }) => because === 'rate' || because === 'cooling'
  const others = await scene.until('crowded', ({ delivered, waitingFor }) => delivered >= enough || (waitingFor ?? []).some(rests), 20_000) // nothing is told of an id not yet taken
  expect(others).toMatchObject({ delivered: enough, waiting: slow.length })
  expect((await scene.isp('google'))?.resting ?? null).toBeNull()
  const deferred = (await scene.said('crowded')).filter(({ outcome }) => outcome === 'deferred')
  expect(deferred.map(({ rcpt }) => rcpt).sort()).toEqual([...slow].sort())
  expect(new Set(deferred.map(({ class: replyClass, blames }) => `${replyClass} ${blames}`))).toEqual(
    new Set(['recipient-rate recipient', 'mailbox-full recipient']),
  )
  expect((await scene.standing('google')).filter(({ mode }) => mode === 'cooling' || mode === 'blocked')).toEqual([])

  expect(await scene.ended('crowded', 20_000)).toMatchObject({ delivered: PEOPLE, bounced: 0 })
  expect(await scene.account('crowded')).toMatchObject(NOTHING_AMISS)
})
