import { expect, test } from 'vitest'
import { DomainRests } from './domain-rests.ts'

const HOUR = 3_600_000

test('a domain that was blamed rests, and no other', () => {
  const rests = new DomainRests()
  rests.blamed('tenant.example', HOUR, 0)
  expect(rests.until('tenant.example', HOUR - 1)).toBe(HOUR)
  expect(rests.until('other.example', 0)).toBeNull()
  expect(rests.until('tenant.example', HOUR)).toBeNull()
})

test('the rest ends when somebody there gets a mail, and for an hour a refusal is one recipient only', () => {
  const rests = new DomainRests()
  rests.blamed('tenant.example', HOUR, 0)
  rests.delivered('tenant.example', 1_000)
  expect(rests.until('tenant.example', 1_001)).toBeNull()
  rests.blamed('tenant.example', HOUR, 2_000)
  expect(rests.until('tenant.example', 2_001)).toBeNull()
  rests.blamed('tenant.example', null, 1_000 + HOUR)
  expect(rests.until('tenant.example', 1_000 + HOUR)).toBe(1_000 + HOUR + 15 * 60_000)
})

test('remembers ten thousand', () => {
  const rests = new DomainRests()
  for (let n = 0; n <= 10_000; n++) rests.blamed(`d${n}.example`, HOUR, 0)
  expect(rests.until('d0.example', 1)).toBeNull()
  expect(rests.until('d10000.example', 1)).toBe(HOUR)
})
