import { expect, it } from 'vitest'
import { sessionCap } from '../../scripts/world/models/limits.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import { NOTHING_AMISS, startScene } from '../kit/scene.ts'

const DOMAINS = 500
const BEARS = 3

const domain = (n: number) => `shop-${String(n).padStart(3, '0')}.example`

/** One hosting box: every customer has an MX inside their own domain, all of them at the one address. */
const box: IspRow = {
  name: 'box',
  hosts: ['mx1.box.example'],
  domains: Array.from({ length: DOMAINS }, (_, n) => ({ domain: domain(n), mx: [[10, `mx.${domain(n)}`]] })),
  vanity: Array.from({ length: DOMAINS }, (_, n) => `mx.${domain(n)}`),
  ehlo: ['PIPELINING', 'SIZE 20971520', '8BITMIME'],
  idleMs: 60_000,
  behaviours: [sessionCap(BEARS)],
}

it('500 customers of one box are one site: it never sees more sessions from an IP than one site may have', async () => {
  const isp = [{ name: 'tail', sessions_per_ip: BEARS, sessions_start: BEARS }]
  await using scene = await startScene({ world: { rows: [box] }, senders: 2, fleet: { ips: 1, isp } })
  const people = Array.from({ length: DOMAINS }, (_, n) => `taro@${domain(n)}`)
  await scene.send('vanity', people)
  const tooMany = () => [...(scene.world.record.isps.get('box')?.sources.values() ?? [])].reduce((sum, { excess }) => sum + (excess.get('session-cap') ?? 0), 0)
  const end = await scene.until('vanity', ({ state }) => state === 'finished' || tooMany() > 0, 60_000)
  expect(tooMany(), 'sessions that the box had to refuse').toBe(0)
  expect(end).toMatchObject({ delivered: DOMAINS })
  expect(new Set((await scene.said('vanity')).map(({ site }) => site)).size).toBe(1)
  expect(await scene.account('vanity')).toMatchObject(NOTHING_AMISS)
})
