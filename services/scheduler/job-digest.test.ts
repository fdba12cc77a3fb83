import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import { canonical, jobDigest } from './job-digest.ts'

const byDefinition = (body: unknown) => createHash('sha256').update(canonical(body)).digest('base64url')

it('is what the canonical text hashes to, for whatever JSON or msgpack can say', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('10', '9', '-1', '01', 'toJSON', '__proto__', 'constructor', ''))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.constant(undefined), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
  }))
  fc.assert(
    fc.property(value, (body) => {
      expect(jobDigest(body)).toBe(byDefinition(body))
    }),
    { numRuns: 2_000 },
  )
  const ofTheWire = decode(encode({ when: new Date(0), raw: Uint8Array.of(1, 2), of: new Map([['a', 1]]) }))
  expect(jobDigest(ofTheWire)).toBe(byDefinition(ofTheWire))
})

it('does not ask in which order keys were written', () => {
  const one = { id: 'a', recipients: [{ name: 'Taro', address: 'taro@example.jp', vars: { b: 1, a: [{ d: 1, c: 2 }] } }] }
  const other = { recipients: [{ address: 'taro@example.jp', vars: { a: [{ c: 2, d: 1 }], b: 1 }, name: 'Taro' }], id: 'a' }
  expect(jobDigest(one)).toBe(jobDigest(other))
  expect(jobDigest({ ...one, id: 'b' })).not.toBe(jobDigest(one))
})
