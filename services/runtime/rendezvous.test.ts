import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rendezvous } from './rendezvous.ts'

const name = fc.stringMatching(/^[a-z0-9-]{1,12}$/)

test('the order of the nodes does not matter, and nobody is chosen from nobody', () => {
  expect(rendezvous('google', [])).toBeNull()
  fc.assert(
    fc.property(name, fc.uniqueArray(name, { minLength: 1 }), (shard, nodes) => {
      expect(rendezvous(shard, nodes.toReversed())).toBe(rendezvous(shard, nodes))
      expect(nodes).toContain(rendezvous(shard, nodes))
    }),
  )
})

test('when a node goes, only its own shards move', () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 40 }), fc.uniqueArray(name, { minLength: 2, maxLength: 6 }), (shards, nodes) => {
      const [gone, ...rest] = nodes
      for (const shard of shards) {
        const before = rendezvous(shard, nodes)
        if (before !== gone) expect(rendezvous(shard, rest)).toBe(before)
      }
    }),
  )
})

test('shards spread over nodes whose names hardly differ', () => {
  const shards = Array.from({ length: 48 }, (_, n) => `t${n}`)
  const counts = new Map<string, number>()
  for (const shard of shards) {
    const node = rendezvous(shard, ['router-1', 'router-2', 'router-3']) as string
    counts.set(node, (counts.get(node) ?? 0) + 1)
  }
  expect(Math.min(...counts.values())).toBeGreaterThan(8)
})
