import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { edRow, rsaRow } from './dkim.testkit.ts'
import { fieldOf, signDkim } from './dkim.ts'
import { type DkimKey, loadDkimKeys } from './dkim-keys.ts'
import { signInPool, signOnLoop } from './signer.ts'

const { keys } = loadDkimKeys([rsaRow, edRow])
const [rsa] = keys as [DkimKey]
const toSign = { fields: ['From: news@acme.example', 'Subject: s'].map(fieldOf), bodyHash: 'x', at: 0 }

describe('signing on the event loop', () => {
  test('gives the signatures of the pool, in the order of the keys', async () => {
    expect(await signDkim(toSign, keys, signOnLoop())).toEqual(await signDkim(toSign, keys, signInPool))
  })

  test('gives each caller its own, however many wait', async () => {
    const sign = signOnLoop()
    const mails = Array.from({ length: 50 }, (_, n) => Buffer.from(`mail ${n}`))
    const [looped, pooled] = await Promise.all([sign, signInPool].map((signer) => Promise.all(mails.map((mail) => signer(rsa, mail)))))
    expect(looped).toEqual(pooled)
    expect(new Set(looped?.map(String)).size).toBe(50)
  })

  test('lets the loop turn after 4 ms, though more wait', async () => {
    let clock = 0
    const sign = signOnLoop(() => (clock += 1.5)) // a signature of 1.5 ms: three reach beyond 4 ms
    const doneInTurn: number[] = []
    let turns = 0
    const count = () => {
      turns++
      if (doneInTurn.length < 9) setImmediate(count)
    }
    setImmediate(count)
    await Promise.all(Array.from({ length: 9 }, async (_, n) => sign(rsa, Buffer.from(`${n}`)).then(() => doneInTurn.push(turns))))
    expect(doneInTurn).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3])
  })

  test('rejects what cannot be signed and goes on', async () => {
    const sign = signOnLoop()
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    const results = await Promise.allSettled([sign({ ...rsa, privateKey: publicKey }, Buffer.from('a')), sign(rsa, Buffer.from('b'))])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })
})
