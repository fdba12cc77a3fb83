import { expect, test } from 'vitest'
import { objectOf, ownerOfObject } from './buckets.ts'

test("an object in the bucket of all is a tenant's by its name, or everybody's", () => {
  const tenants = ['acme', 'other']
  expect(ownerOfObject(objectOf('lists', 'acme', 'spring.csv'), tenants)).toBe('acme')
  expect(ownerOfObject(objectOf('content', 'other', 'c1/7'), tenants)).toBe('other')
  for (const name of ['lists/spring.ndjson', 'lists/2026/spring.ndjson', 'pictures/acme/logo.png', 'lists/acme', 'acme', ''])
    expect(ownerOfObject(name, tenants)).toBeNull()
})
