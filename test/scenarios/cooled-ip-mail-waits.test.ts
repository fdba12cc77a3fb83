/** Blocked mail does not spread: what a cooled IP would have carried waits for it, and the pool's other IPs keep the share they had. */
import { expect, it } from 'vitest'
import { until } from '../kit/bus.ts'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const [A, B] = ['127.0.1.1', '127.0.1.2'] as const

it('leaves the mail of a cooled IP waiting although another IP could carry it at once', { timeout: 90_000 }, async () => {
  await using lab = await startSourceLab({ ips: 2, rest: '6s' })
  // What each of the two carries while both lend.
  const shares = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  for (const id of shares) await lab.cluster.publish('acme', noticeTo(`share-${id}`, people(5, `share-${id}-`)))
  for (const id of shares) await lab.cluster.until('acme', `share-${id}`, ({ state }) => state === 'finished', 20_000)

  lab.blameSources([A])
  await lab.cluster.publish('acme', noticeTo('first-blame', people(4, 'first-')))
  await until(
    `${A} cools`,
    async () => {
      if ((await lab.atGoogle(A))?.mode === 'cooling') return true
      const id = `probe-${performance.now().toFixed(0)}` // until one of them is the turn of A
      await lab.cluster.publish('acme', noticeTo(id, people(1, `${id}-`)))
      return false
    },
    15_000,
  )
  lab.blameSources([])

  const list = people(400, 'many-')
  await lab.cluster.publish('acme', noticeTo('many', list))
  const [before = 0] = [lab.takenBy().get(A)]
  await until(`the rest of ${A} is over`, async () => (await lab.atGoogle(A))?.mode === 'recovering', 15_000)
  // B alone could have carried all of them within two seconds.
  const { delivered, waiting } = await lab.cluster.status('acme', 'many')
  expect(delivered).toBeLessThan(300)
  expect(delivered + waiting).toBe(list.length)

  expect(await lab.cluster.until('acme', 'many', ({ state }) => state === 'finished', 40_000)).toMatchObject({ delivered: list.length })
  expect(lab.takenBy().get(A) ?? 0).toBeGreaterThan(before)
  expect(lab.takenBy().get(B) ?? 0).toBeGreaterThan(0)
  expect(await lab.accountOf('acme', 'many', list)).toEqual(NOTHING_WRONG)
})
