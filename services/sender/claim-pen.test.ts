import { describe, expect, test } from 'vitest'
import type { Entry, Stored, StoredAll } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import { ClaimPen } from './claim-pen.ts'

/** A server that writes down what is asked of it, and answers when it is let. */
function pen(answer: { one?: (on: string) => Stored; all?: (entries: readonly Entry[]) => StoredAll } = {}) {
  const asked: string[][] = []
  let seq = 100
  const held: (() => void)[] = []
  const turn = () => new Promise<void>((go) => held.push(go))
  const written = new ClaimPen({
    async store(on) {
      asked.push([on])
      await turn()
      return answer.one?.(on) ?? { kind: 'stored', seq: ++seq }
    },
    async storeAll(entries) {
      asked.push(entries.map(({ subject }) => subject))
      await turn()
      if (answer.all) return answer.all(entries)
      seq += entries.length
      return { kind: 'stored', lastSeq: seq, batchId: 'b' }
    },
  })
  const claim = (name: string) => written.write({ subject: name, body: new Uint8Array(), rollup: true, expect: { seq: 0 } })
  const serve = async () => {
    await new Promise((go) => setImmediate(go))
    for (const go of held.splice(0)) go()
    await new Promise((go) => setImmediate(go))
  }
  return { asked, claim, serve }
}

const SIX = ['a', 'b', 'c', 'd', 'e', 'f']

describe('claims', () => {
  test('alone leave at once, those that come meanwhile together, each with its own sequence', async () => {
    const { asked, claim, serve } = pen()
    const first = claim('first')
    await serve()
    const alone = claim('alone')
    await new Promise((go) => setImmediate(go))
    const others = SIX.map(claim)
    await serve()
    await serve()
    expect(asked).toEqual([['first'], ['alone'], SIX])
    expect(await Promise.all([first, alone, ...others])).toEqual([101, 102, 103, 104, 105, 106, 107, 108].map((seq) => ({ kind: 'stored', seq })))
  })

  test('of which one is refused are told apart one by one', async () => {
    const refused = { kind: 'refused', code: 10071, message: 'wrong last sequence' } as const
    const { asked, claim, serve } = pen({ all: () => refused, one: (on) => (on === 'c' ? refused : { kind: 'stored', seq: 7 }) })
    const claims = SIX.map(claim)
    await serve()
    await serve()
    expect((await Promise.all(claims)).map(({ kind }) => kind)).toEqual(['stored', 'stored', 'refused', 'stored', 'stored', 'stored'])
    expect(asked.slice(1).flat()).toEqual(SIX)
  })

  test('of which nobody knows whether they stand are in doubt, each of them, and the next are written', async () => {
    const { claim, serve } = pen({
      all: (entries) => (entries[0]?.subject === 'a' ? { kind: 'unknown', because: 'timeout', batchId: 'b' } : { kind: 'stored', lastSeq: 9, batchId: 'c' }),
    })
    const claims = Promise.allSettled(SIX.map(claim))
    await serve()
    const errors = (await claims).map((one) => one.status === 'rejected' && one.reason)
    expect(errors.every((error) => error instanceof Infrastructure && error.code === 'timeout')).toBe(true)
    const next = Promise.all(['g', 'h', 'i', 'j'].map(claim))
    await serve()
    expect((await next).map((one) => one.kind === 'stored' && one.seq)).toEqual([6, 7, 8, 9])
  })
})
