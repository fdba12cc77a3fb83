/** A store that runs full refuses a campaign at the publisher; what it has confirmed is taken when there is room again, and nothing else is. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { startWorld } from '../../scripts/world/world.ts'
import { until } from '../kit/bus.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { startNats } from '../kit/nats.ts'

const MB = 1024 ** 2
const STORE = 96 * MB
/** streams are compressed, and this is not to be */
const LETTER = randomBytes(3_000_000).toString('base64')

it('refuses at the publisher, loses nothing it confirmed, and goes on when there is room', { timeout: 120_000 }, async () => {
  await using nats = await startNats({
    extra: `accounts { HATO { jetstream: { max_file: ${STORE}, max_mem: 8MB }, users: [ { user: ops, password: pw } ] } }\nno_auth_user: ops`,
  })
  await using world = await startWorld({ behaviours: 'none' })
  await using cluster = await startCluster({
    senders: 1,
    fleet: loopbackFleet({ dns: world.dns, smtpPort: world.smtpPort }, { ips: 1 }),
    env: { HATO_NATS_URL: nats.url },
  })
  const campaign = (at: number) => ({ ...noticeTo(`full-${at}`, [`ok+${at}@gmail.com`]), text: LETTER })

  await cluster.publish('acme', campaign(0))
  await cluster.until('acme', 'full-0', ({ state }) => state === 'finished')

  // Somebody's file takes the store beyond 70 %: what is published now is confirmed and waits.
  const objects = openObjects(cluster.bus, OBJECT_BUCKET)
  await objects.put('somebody/large.bin', [randomBytes(STORE * 0.72)])
  await until('intake stops', async () => (await readFile(join(cluster.dataDir, 'logs/scheduler-1.log'), 'utf8')).includes('"intake stopped"'), 15_000)
  let published = 1
  let refusal = ''
  for (; refusal === '' && published < 20; published++) {
    refusal = await cluster.publish('acme', campaign(published)).then(
      () => '',
      (error: Error) => error.message,
    )
  }
  const confirmed = published - 2
  expect(refusal).toMatch(/the publish was refused: .*resource limits/i)
  expect(confirmed).toBeGreaterThan(0)
  expect(await cluster.status('acme', 'full-1')).toMatchObject({ state: 'unknown' })

  await objects.remove('somebody/large.bin')
  for (let at = 1; at <= confirmed; at++) await cluster.until('acme', `full-${at}`, ({ state }) => state === 'finished')
  expect(await cluster.status('acme', `full-${confirmed + 1}`)).toMatchObject({ state: 'unknown' })
  // Told that it was refused, its publisher publishes it again.
  await cluster.publish('acme', campaign(confirmed + 1))
  await cluster.until('acme', `full-${confirmed + 1}`, ({ state, delivered }) => state === 'finished' && delivered === 1)
})
