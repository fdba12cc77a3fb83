/** Two IPs of a pool blamed at one site within an hour: it is the mail, not the address, so the whole pool rests there and its other IPs stay clean. */
import { expect, it } from 'vitest'
import { until } from '../kit/bus.ts'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const [A, B, C, D] = ['127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.1.4'] as const
/** After a source stops nothing new starts on it within so long (S5): what starts until then may still meet the refusal. */
const S5_MS = 1_000

it('rests the pool at the second blame, so that the site never refuses its other IPs', { timeout: 90_000 }, async () => {
  await using lab = await startSourceLab({ ips: 4, rest: '5s', google: { mails_per_second: 8 } })
  const lists = new Map(['one', 'two', 'three', 'four'].map((id) => [id, people(24, `${id}-`)] as const))
  lab.blameSources([A])
  for (const [id, list] of lists) await lab.cluster.publish('acme', noticeTo(id, list))

  await until(`${A} cools`, async () => (await lab.atGoogle(A))?.mode === 'cooling', 15_000)
  lab.blameSources([A, B])
  await until(`${B} cools`, async () => (await lab.atGoogle(B))?.mode === 'cooling', 15_000)
  await new Promise((resolve) => setTimeout(resolve, S5_MS))
  // From here on the site refuses whoever of the pool comes.
  lab.blameSources([A, B, C, D])
  const before = lab.takenBy()
  await until(`the rest of ${A} is over`, async () => (await lab.atGoogle(A))?.mode !== 'cooling', 15_000)
  for (const clean of [C, D]) expect(await lab.atGoogle(clean)).toMatchObject({ mode: 'steady', deferred: 0 })
  expect(lab.takenBy()).toEqual(before)

  lab.blameSources([])
  for (const [id, list] of lists) {
    expect(await lab.cluster.until('acme', id, ({ state }) => state === 'finished', 40_000)).toMatchObject({ delivered: list.length })
    expect(await lab.accountOf('acme', id, list)).toEqual(NOTHING_WRONG)
  }
})
