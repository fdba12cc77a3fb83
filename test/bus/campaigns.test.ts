/** The campaigns as the scheduler keeps them: their records and tallies over restarts, and between two owners. */
import { describe, expect, it } from 'vitest'
import { KEYS } from '../../protocol/buckets.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { Campaigns } from '../../services/scheduler/campaigns.ts'
import { natsForFile, until } from '../kit/bus.ts'
import { termForFile } from '../kit/scheduler-term.ts'
import { deliveredTo } from '../kit/outcomes.ts'

const here = natsForFile()
const { began, ended, notice, publish, status, recordOf } = termForFile(here)

describe('the campaigns of a scheduler', () => {
  it('saves the tally of a list with a very long tail in one message, and has it back', async () => {
    const bucket = openBucket(here.bus, 'campaigns')
    const owned = () =>
      new Campaigns({
        bucket,
        log: here.log,
        onFenced: (name) => {
          throw new Error(name)
        },
      })
    await began()
    const job = notice(1, { sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await publish(job)
    await until('it is counted', async () => (await status(job.id)).recipients === 1)
    await ended()
    const campaigns = owned()
    await campaigns.load(0)
    const running = campaigns.get('acme', job.id)
    if (!running) throw new Error('not loaded')
    const [first, batches] = [1_000_000, 300_000]
    for (let at = 0; at < batches; at++) running.tally.count(first + 2 * at, deliveredTo(at % 3), null)
    running.changed = true
    await campaigns.save(running)
    const again = owned()
    await again.load(0)
    const restored = again.get('acme', job.id)?.tally
    expect(restored?.counts.delivered).toBe(batches)
    for (const at of [0, 1, 2, 299_999]) expect([0, 1, 2].map((n) => restored?.isSettled(first + 2 * at, n))).toEqual([0, 1, 2].map((n) => n === at % 3))
  })

  it('is refused when it writes a record that another owner has written, however far each has counted', async () => {
    const bucket = openBucket(here.bus, 'campaigns')
    const fenced: string[] = []
    const ownedBy = () => new Campaigns({ bucket, log: here.log, onFenced: (name) => void fenced.push(name) })
    const [old, next] = [ownedBy(), ownedBy()]
    await began()
    const job = notice(1, { sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await publish(job)
    await until('it is counted', async () => (await status(job.id)).recipients === 1)
    await ended()
    await old.load(0)
    await next.load(0)
    const [before, after] = [old.get('acme', job.id), next.get('acme', job.id)]
    if (!before || !after) throw new Error('not loaded')
    await next.change(after, { state: 'paused', before: 'scheduled' })
    before.tally.position = after.tally.position + 100
    before.changed = true
    await old.save(before)
    expect(fenced).toEqual([KEYS.campaign('acme', job.id)])
    expect((await recordOf(job.id)).record.state).toBe('paused')
  })
})
