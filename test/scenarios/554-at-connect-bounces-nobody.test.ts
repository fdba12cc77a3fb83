import { expect, it } from 'vitest'
import { countsOf, NOTHING_AMISS, startScene } from '../kit/scene.ts'

const RECIPIENTS = 40

/** Words that would end a recipient anywhere later: before the first RCPT they are about nobody's mailbox. */
const UNKNOWN_USER = { stage: 'connect', does: 'reply', code: 554, enhanced: '5.1.1', text: 'No such user here' } as const

it('a 554 instead of the greeting, whatever its words, defers: nobody bounces, nobody is suppressed, all are delivered once it ends', async () => {
  await using scene = await startScene()
  const people = Array.from({ length: RECIPIENTS }, (_, at) => `ok+${at}@gmail.com`)
  scene.world.fault('google', 'shut', { ...UNKNOWN_USER, times: 4 })
  await scene.send('shut', people)
  const end = await scene.until('shut', ({ state, bounced, expired }) => state === 'finished' || bounced + expired > 0, 30_000)
  expect(end).toMatchObject({ delivered: RECIPIENTS, bounced: 0, expired: 0, suppressed: 0 })

  const said = await scene.said('shut')
  const refused = said.filter(({ code }) => code === 554)
  expect(refused.length).toBeGreaterThan(0)
  expect(new Set(refused.map(({ outcome, stage, blames }) => `${outcome} ${stage} ${blames}`))).toEqual(new Set(['deferred greeting host']))
  expect(await scene.account('shut')).toMatchObject(NOTHING_AMISS)
  expect((await scene.cluster.ask<{ entries: unknown[] }>('suppression', { tenant: 'acme' }, { action: 'list' })).entries).toEqual([])
  expect(countsOf(said).delivered).toBe(RECIPIENTS)
})
