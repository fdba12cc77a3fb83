import { expect, test } from 'vitest'
import { heapFlags, missingFlags } from './heap.ts'

test('every role has its heap, and whoever started the process has the last word on each flag', () => {
  for (const role of ['domain-router', 'ip-manager', 'sender']) expect(heapFlags(role)).toHaveLength(3)
  expect(heapFlags('scheduler')).toHaveLength(4)
  expect(missingFlags('scheduler', ['--separate_gc_phases'])).not.toContain('--no-separate-gc-phases')
  expect(heapFlags('test')).toEqual([])
  const [growing, young, scavenger] = heapFlags('sender')
  expect(missingFlags('sender', ['--inspect'])).toEqual([growing, young, scavenger])
  expect(missingFlags('sender', heapFlags('sender'))).toEqual([])
  expect(missingFlags('sender', ['--parallel_scavenge'])).not.toContain('--no-parallel-scavenge')
  expect(missingFlags('sender', ['--max_semi_space_size=64'])).toEqual([growing, scavenger])
  expect(missingFlags('sender', [], '--cpu-prof --max-semi-space-size=64')).toEqual([growing, scavenger])
})
