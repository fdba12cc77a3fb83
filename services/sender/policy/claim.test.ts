import { describe, expect, it } from 'vitest'
import { decideClaim, holderOf } from './claim.ts'

const standing = (attempt: number, order: number, sender: string) => ({ seq: 40, claim: { attempt, order, sender, mask: new Uint8Array(1) } })

describe('who may work on a batch', () => {
  const order = { id: 9, attempt: 1 }
  it.each([
    ['nobody claimed it', null, 'claim'],
    ['an earlier attempt is over', standing(0, 5, 'gone'), 'claim'],
    ['a later attempt has begun', standing(2, 5, 'gone'), 'drop'],
    ['a twin order of this attempt was faster', standing(1, 8, 'gone'), 'drop'],
    ['this order is in a living hand', standing(1, 9, 'lives'), 'elsewhere'],
    ["this order's holder is gone", standing(1, 9, 'gone'), 'take-over'],
  ] as const)('%s: %s → %s', (_, last, kind) => {
    expect(decideClaim(order, last, holderOf(order, last) === 'lives').kind).toBe(kind)
  })

  it("hangs on a sender's life only where the claim is this order's own", () => {
    expect(holderOf(order, standing(1, 9, 'x'))).toBe('x')
    for (const last of [null, standing(0, 9, 'x'), standing(2, 9, 'x'), standing(1, 8, 'x')]) expect(holderOf(order, last)).toBeNull()
  })

  it('expects exactly the claim it saw', () => {
    expect(decideClaim(order, standing(0, 5, 'gone'), false)).toEqual({ kind: 'claim', expect: 40 })
    expect(decideClaim(order, null, false)).toEqual({ kind: 'claim', expect: 0 })
  })
})
