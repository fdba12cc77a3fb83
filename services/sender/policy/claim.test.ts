import { describe, expect, it } from 'vitest'
import { decideClaim } from './claim.ts'

const standing = (attempt: number, order: number, sender: string) => ({ seq: 40, claim: { attempt, order, sender, mask: new Uint8Array(1) } })
const me = { sender: 'me', holds: false }
const alive = (sender: string) => sender === 'lives'

describe('who may work on a batch', () => {
  const order = { id: 9, attempt: 1 }
  it.each([
    ['nobody claimed it', null, 'claim'],
    ['an earlier attempt is over', standing(0, 5, 'gone'), 'claim'],
    ['a later attempt has begun', standing(2, 5, 'gone'), 'drop'],
    ['a twin order of this attempt was faster', standing(1, 8, 'gone'), 'drop'],
    ['this order is in a living hand', standing(1, 9, 'lives'), 'elsewhere'],
    ["this order's holder is gone", standing(1, 9, 'gone'), 'take-over'],
    ['this process claimed it and forgot', standing(1, 9, 'me'), 'take-over'],
  ] as const)('%s: %s → %s', (_, last, kind) => {
    expect(decideClaim(order, last, me, alive).kind).toBe(kind)
  })

  it('leaves alone what this very process is at work on', () => {
    expect(decideClaim(order, standing(1, 9, 'me'), { ...me, holds: true }, alive).kind).toBe('elsewhere')
  })

  it('expects exactly the claim it saw', () => {
    expect(decideClaim(order, standing(0, 5, 'gone'), me, alive)).toEqual({ kind: 'claim', expect: 40 })
    expect(decideClaim(order, null, me, alive)).toEqual({ kind: 'claim', expect: 0 })
  })
})
