import { expect, test } from 'vitest'
import { LeaseCounts } from './lease-counts.ts'
import { foundWithoutReply } from './policy/attempt.ts'

test('a host that is left alone counts as no further failed connect: five of those would rest the site', () => {
  const counts = new LeaseCounts()
  counts.count({ ...foundWithoutReply('deferred', 'unreachable', 'host', 'ECONNREFUSED', 'connect'), mx: 'mx.example' })
  counts.count(foundWithoutReply('deferred', 'unreachable', 'host', 'example: mx.example was refused a while ago', 'connect'))
  expect(counts.drain().classes).toEqual({ unreachable: 1, resting: 1 })
})
