import { expect, test } from 'vitest'
import type { Running } from './campaigns.ts'
import { Statuses } from './status.ts'

/** As much of a campaign as a status reads; `asked` counts how often somebody went through its sites. */
function wide(sites: number) {
  const queues = new Map(Array.from({ length: sites }, (_, n) => [`s${n}`, { site: `s${n}`, batches: [{ seq: n, count: 5 }] }]))
  const counts = { delivered: 0, unconfirmed: 0, bounced: 0, expired: 0, suppressed: 0, cancelled: 0, mayBeDuplicate: 0 }
  const record = { id: 'c', tenant: 'acme', state: 'running', acceptedAt: 0, startedAt: 0, finishedAt: null, tally: counts }
  const tally = { counts, settled: 0, deferred: 0, waiting: () => [] }
  return { record, tally, queues, expansion: { recipients: sites * 5, duplicates: 0, unusable: 0, listRead: true }, underWay: { waiting: () => [] } }
}

test('who asks often is told the reasons of a moment ago, and counts that are true now', () => {
  const running = wide(300)
  let [now, asked] = [0, 0]
  const releaser = {
    why() {
      asked++
      now += 0.1
      return { because: 'site-pace', until: null }
    },
    whyUnderWay: () => ({ because: 'under-way', until: null }),
  }
  const statuses = new Statuses(releaser, () => now)
  const of = () => statuses.of(running as unknown as Running)
  expect(of().waitingFor).toHaveLength(200)
  expect(asked).toBe(300)
  now += 500
  running.tally.settled = 10
  expect(of()).toMatchObject({ waiting: 1_490 })
  expect(asked).toBe(300) // 30 ms of work, so 600 ms without
  now += 101
  of()
  expect(asked).toBe(600)
  running.record.state = 'paused'
  of()
  expect(asked).toBe(900)
})
