import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressProblem } from '../../protocol/addresses.ts'
import { campaignTag, decodeReturnPath, encodeReturnPath, isWhom, messageId } from './verp.ts'

const secret = '0123456789abcdef0123456789abcdef'
const domain = 'bounce.acme.example'
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const place = fc.record({
  tenant: id,
  campaign: id,
  batch: fc.maxSafeNat(),
  n: fc.integer({ min: 0, max: 99 }),
  address: fc.nat().map((n) => `Taro${n}@example.jp`),
})

describe('a return path', () => {
  test('names its recipient again, in any letter case, and is an address of at most 64 octets', () => {
    fc.assert(
      fc.property(place, (where) => {
        const path = encodeReturnPath({ ...where, secret, domain })
        const key = { campaignTag: campaignTag(where), batch: where.batch, n: where.n, whom: expect.any(String) }
        expect(addressProblem(path)).toBeNull()
        expect(path.indexOf('@')).toBeLessThanOrEqual(64)
        expect(decodeReturnPath(secret, path)).toEqual(key)
        expect(decodeReturnPath(secret, path.toUpperCase())).toEqual(key)
        const read = decodeReturnPath(secret, path) as NonNullable<ReturnType<typeof decodeReturnPath>>
        expect(isWhom(read, where.address.toLowerCase())).toBe(true)
        expect(isWhom(read, `x${where.address}`)).toBe(false)
      }),
    )
  })

  test('is nobody else’s: two recipients never share an envelope, so a transaction has one recipient', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        expect(encodeReturnPath({ ...one, secret, domain })).not.toBe(encodeReturnPath({ ...other, secret, domain }))
      }),
    )
    const one = { tenant: 'acme', campaign: 'c', batch: 7, n: 1, address: 'taro@example.jp', secret, domain }
    const others = [{ n: 2 }, { batch: 8 }, { campaign: 'd' }, { tenant: 'rival' }, { address: 'jiro@example.jp' }].map((change) =>
      encodeReturnPath({ ...one, ...change }),
    )
    expect(new Set([encodeReturnPath(one), ...others]).size).toBe(6)
  })

  test('with one character changed, or under another secret, names nobody', () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.constantFrom(...'abc0123xyz-'), (where, at, put) => {
        const path = encodeReturnPath({ ...where, secret, domain })
        const local = path.split('@')[0] as string
        const spot = at % local.length
        fc.pre(local[spot] !== put)
        expect(decodeReturnPath(secret, `${local.slice(0, spot)}${put}${local.slice(spot + 1)}@${domain}`)).toBeNull()
        expect(decodeReturnPath(`${secret}x`, path)).toBeNull()
      }),
    )
  })

  test('of somebody else names nobody', () => {
    for (const address of ['', '@', 'taro@example.jp', 'b-x-1-2-y@bounce.acme.example', 'b-aaaaaaaaaa-1-2-aaaaaaaa-aaaaaaaaaaaaaaaa@bounce.acme.example']) {
      expect(decodeReturnPath(secret, address)).toBeNull()
    }
  })
})

test('a mac is HMAC-SHA-256 as node:crypto makes it, of secrets of any length in turn', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ minLength: 16, maxLength: 100, unit: 'binary' }), place), { maxLength: 4 }), (asked) => {
      for (const [key, where] of asked) {
        const [local = ''] = encodeReturnPath({ ...where, secret: key, domain }).split('@')
        const digest = createHmac('sha256', key).update(local.slice(0, -17)).digest()
        const bits = [...digest].map((octet) => octet.toString(2).padStart(8, '0')).join('')
        const characters = Array.from({ length: 16 }, (_, at) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)])
        expect(local.slice(-16)).toBe(characters.join(''))
      }
    }),
  )
})

describe('a Message-ID', () => {
  const at = { tenant: 'acme', campaign: 'spring', batch: 7, n: 3, address: 'taro@example.jp', domain: 'acme.example' }

  test('is the same for the same recipient and differs for any other', () => {
    const ids = [at, { ...at, tenant: 'b' }, { ...at, campaign: 'b' }, { ...at, batch: 8 }, { ...at, n: 4 }, { ...at, address: 'x@example.jp' }].map(messageId)
    expect(new Set(ids).size).toBe(6)
    expect(messageId({ ...at })).toBe(ids[0])
    expect(ids[0]).toMatch(/^<[a-z2-7]{32}@acme\.example>$/)
  })
})
