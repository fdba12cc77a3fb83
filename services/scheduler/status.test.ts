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

test('who asks often is told what was so a moment ago, and its reasons add up to those that wait', () => {
  const running = wide(150)
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
  expect(of().waitingFor).toHaveLength(150)
  expect(asked).toBe(150)
  now += 250
  running.tally.settled = 10
  running.queues.delete('s0')
  running.queues.delete('s1')
  const { waiting, waitingFor } = of()
  expect(waitingFor.reduce((sum, { count }) => sum + count, 0)).toBe(waiting)
  expect(asked).toBe(150) // 15 ms of work, so 300 ms without
  now += 51
  expect(of()).toMatchObject({ waiting: 740 })
  expect(asked).toBe(298)
  running.record.state = 'paused'
  of()
  expect(asked).toBe(446)
})
