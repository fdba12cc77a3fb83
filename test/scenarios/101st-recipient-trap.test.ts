import { expect, it } from 'vitest'
import { PROVIDERS } from '../../scripts/world/models/isps.ts'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const PEOPLE = 230

it('no session at docomo asks for a 101st recipient: with it, what the session had delivered before would be thrown away', async () => {
  // No limit on mails a session on either side, so that recipients a session is the only number that holds; one session, so that it gets them all.
  const rows = PROVIDERS.map((row) => ({ ...row, behaviours: row.behaviours.filter(({ name }) => name !== 'mails-per-session') }))
  const isp = [{ name: 'docomo', mails_per_session: 10_000, sessions_per_ip: 1, sessions_start: 1, mails_per_second: 200 }]
  await using scene = await startScene({ world: { rows }, fleet: { ips: 1, isp } })
  const people = Array.from({ length: PEOPLE }, (_, at) => `ok+${at}@docomo.ne.jp`)
  await scene.send('trap', people)
  const seen = () => scene.world.record.isps.get('docomo')
  const end = await scene.until('trap', ({ state }) => state === 'finished' || (seen()?.voided ?? 0) > 0, 30_000)
  expect(seen()?.voided, 'mails that docomo threw away').toBe(0)
  expect(end).toMatchObject({ delivered: PEOPLE })
  expect([...(seen()?.sources.values() ?? [])].map(({ maxRcptsPerSession }) => maxRcptsPerSession)).toEqual([100])
  expect(await scene.account('trap')).toMatchObject(NOTHING_AMISS)
})
