import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressHash } from './address-hash.ts'
import { SuppressionTable } from './suppression-table.ts'

const KEY = [0x0706_0504, 0x0302_0100] as const
const of = (text: string) => addressHash(KEY, text)

describe('the hash of an address', () => {
  it('depends on every character, on the length and on the key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        if (one !== other) expect(of(one)).not.toEqual(of(other))
        expect(of(one)).toEqual(of(one))
        expect(addressHash([KEY[0] + 1, KEY[1]], one)).not.toEqual(of(one))
      }),
    )
    expect(of('taro@example.jp')).not.toEqual(of('taro@example.jp\0'))
  })

  it('spreads addresses that differ in a digit evenly', () => {
    const counts = new Array<number>(64).fill(0)
    for (let at = 0; at < 64_000; at++) {
      const part = of(`user${at}@example.jp`).high >>> 26
      counts[part] = (counts[part] as number) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(850)
    expect(Math.max(...counts)).toBeLessThan(1_150)
  })
})

describe('the table', () => {
  const step = fc.record({ who: fc.integer({ min: 0, max: 400 }), reason: fc.integer({ min: 0, max: 3 }), what: fc.constantFrom('set', 'set', 'delete') })

  it('holds what a map of hash and reason would hold, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2_000 }), (steps) => {
        const table = new SuppressionTable()
        const model = new Map<string, number>()
        for (const [at, { who, reason, what }] of steps.entries()) {
          // few different first halves, so that many stand in each other's way
          const hash = { high: of(`${who % 5}`).high, low: who }
          if (what === 'set') {
            table.set(hash, reason, at + 1, null)
            model.set(`${who}/${reason}`, at + 1)
          } else expect(table.delete(hash, reason)).toBe(model.delete(`${who}/${reason}`))
        }
        expect(table.size).toBe(model.size)
        for (let who = 0; who <= 400; who++)
          for (let reason = 0; reason <= 3; reason++) {
            const hash = { high: of(`${who % 5}`).high, low: who }
            expect(table.where(hash, reason)).toBe(model.get(`${who}/${reason}`) ?? 0)
            expect((table.reasonsOf(hash, 0) & (1 << reason)) !== 0).toBe(model.has(`${who}/${reason}`))
          }
      }),
    )
  })

  it('lets an entry end at its time and the others stand', () => {
    const table = new SuppressionTable()
    const until = Date.parse('2027-05-23T10:00:00Z')
    table.set(of('a@example.jp'), 0, 1, until)
    table.set(of('a@example.jp'), 3, 2, null)
    expect(table.reasonsOf(of('a@example.jp'), until - 1)).toBe(0b1001)
    expect(table.reasonsOf(of('a@example.jp'), until + 16_000)).toBe(0b1000)
    expect(table.reasonsOf(of('a@example.jp'), Date.parse('2100-01-01T00:00:00Z'))).toBe(0b1000)
  })

  it('takes some 20 octets an entry and goes through a snapshot unchanged', () => {
    const table = new SuppressionTable()
    for (let at = 1; at <= 200_000; at++) table.set(of(`user${at}@example.jp`), at % 8, at, null)
    const octets = [...table.segments()].reduce((sum, [, { slots }]) => sum + slots.byteLength, 0)
    expect(octets / table.size).toBeLessThan(23)
    const again = new SuppressionTable()
    for (const [number, segment] of table.segments()) again.restore(number, { slots: segment.slots.slice(), size: segment.size })
    expect(again.size).toBe(200_000)
    for (let at = 1; at <= 200_000; at += 997) expect(again.where(of(`user${at}@example.jp`), at % 8)).toBe(at)
    expect(again.reasonsOf(of('nobody@example.jp'), 0)).toBe(0)
  })
})
