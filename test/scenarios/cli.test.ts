/** `hato` beside a whole cluster that `npm start` would run, found and logged into by HATO_DATA alone. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { startCluster, type TestCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { hatoProcess } from '../kit/hato.ts'

let world: World
let cluster: TestCluster
const hato = (...args: readonly string[]) => hatoProcess({ HATO_DATA: cluster.dataDir }, args)

beforeAll(async () => {
  world = await startWorld({ behaviours: 'none' })
  cluster = await startCluster({ fleet: loopbackFleet(world, { ips: 2 }), senders: 1 })
}, 120_000)
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
}, 60_000)

it('sends and follows to the end, shows where from and where to, and finds nothing wrong', async () => {
  const addresses = [...Array.from({ length: 180 }, (_, at) => `ok+${at}@${['gmail.com', 'docomo.ne.jp', 'shop-001.example'][at % 3]}`), 'refuse-550@gmail.com']
  const file = join(cluster.dataDir, 'spring.json')
  await writeFile(file, JSON.stringify(noticeTo('spring', addresses)))

  const sent = await hato('send', file, '--follow')
  expect(sent).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^accepted acme\/spring[\s\S]*\nacme\/spring {2}finished[\s\S]* {2}180 delivered · 1 bounced · 0 waiting\n {2}99\.4 % delivered in /,
    ),
  })
  const followed = await hato('status', 'acme/spring', '--follow', '--json')
  expect(followed.code).toBe(0)
  expect(JSON.parse(followed.out) as CampaignStatus).toMatchObject({ state: 'finished', delivered: 180, bounced: 1, waiting: 0 })
  expect(world.record.taken).toBe(180)
  expect(await hato('pause', 'acme/spring')).toMatchObject({ code: 1, err: expect.stringContaining('acme/spring is finished') })

  expect(await hato('ip', '127.0.1.1')).toMatchObject({ code: 0, out: expect.stringMatching(/^127\.0\.1\.1 {2}pool acme {2}serving/) })
  expect(await hato('isp', 'limit', 'google', '--sessions-per-ip', '2', '--for', '30m')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/google is limited until .*; hato isp clear google --id \S+ takes it back/),
  })
  expect(await hato('isp', 'pause', 'docomo')).toMatchObject({ code: 0 })
  const site = await hato('isp', 'google')
  expect(site).toMatchObject({ code: 0, out: expect.stringMatching(/limit +limit-\S+ +ops/) })
  expect(await hato('isp', 'resume', 'docomo', '--id', 'nope')).toMatchObject({ code: 1, err: expect.stringContaining('there is no action "nope"') })
  expect(await hato('isp', 'clear', 'docomo')).toMatchObject({ code: 0 })
  expect(await hato('isp', 'clear', 'google')).toMatchObject({ code: 0 })

  const doctor = await hato('doctor')
  expect(doctor.out).toContain('· [preflight] off')
  expect(doctor.out).toMatch(/✓ 2 of 2 IPs can be used/)
  expect(doctor).toMatchObject({ code: 0, err: '' })
})

it('a campaign that is cancelled while it is followed ends with 1', async () => {
  const file = join(cluster.dataDir, 'slow.json')
  await writeFile(
    file,
    JSON.stringify(
      noticeTo(
        'slow',
        Array.from({ length: 50 }, (_, at) => `ok+${at}@gmail.com`),
        { rate: 1 },
      ),
    ),
  )
  let cancelled: Promise<{ readonly code: number | null }> | null = null
  const followed = await hatoProcess({ HATO_DATA: cluster.dataDir }, ['send', file, '--follow'], {
    watch(out) {
      if (cancelled === null && /[1-9]\d* delivered/.test(out)) cancelled = hato('cancel', 'acme/slow')
      return null
    },
  })
  expect(followed).toMatchObject({ code: 1, err: expect.stringMatching(/acme\/slow ended cancelled, with \d+ recipients? delivered and \d+ others/) })
  expect(await cancelled).toMatchObject({ code: 0 })
})
