import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSuppressionCsv, csvHeader, csvLine, readSuppressionCsv, type SuppressionLine } from './suppression-csv.ts'
import { SUPPRESSION_REASONS, type SuppressionEntry } from '../../protocol/messages/ops.ts'

/** The text in pieces of so many octets. */
async function* pieces(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const octets = new TextEncoder().encode(text)
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size)
}
async function lines(text: string, size?: number): Promise<SuppressionLine[]> {
  const all: SuppressionLine[] = []
  for await (const line of readSuppressionCsv(pieces(text, size))) all.push(line)
  return all
}

describe('a suppression list as CSV', () => {
  it('has its columns in any order, quotes as RFC 4180 has them, and columns of others', async () => {
    const text = '\ufeffreason,who,address,reply\r\ncomplaint,x,taro@example.jp,"550 ""no"", he said\r\nand more"\r\n\r\n,"a,b",b@example.jp,\r\n'
    expect(await lines(text)).toEqual([
      { kind: 'entry', line: 2, entry: { address: 'taro@example.jp', reason: 'complaint', reply: '550 "no", he said\nand more' } },
      { kind: 'entry', line: 5, entry: { address: 'b@example.jp', reason: 'by-hand' } },
    ])
  })

  it('may be an address a line', async () => {
    expect(await lines('a@example.jp\nb@example.jp')).toMatchObject([{ entry: { address: 'a@example.jp' } }, { entry: { address: 'b@example.jp' } }])
  })

  it('names every unusable line by its number and reads on', async () => {
    const text = 'address,reason,until\nok@example.jp,,\nno,,\nb@example.jp,because,\nc@example.jp,,tomorrow\n"d@example.jp,,\n'
    const read = await lines(text)
    expect(read.flatMap((line) => (line.kind === 'unusable' ? line.problems.map(({ path }) => path) : []))).toEqual([
      'line 3 address',
      'line 4 reason',
      'line 5 until',
      'line 6',
    ])
    expect(await checkSuppressionCsv(pieces(text))).toMatchObject({ usable: 1, unusable: 4 })
  })

  it('without the column is refused as a whole, an endless line is one unusable line', async () => {
    expect(await lines('mail,name\na@example.jp,a\n')).toMatchObject([{ kind: 'unusable', line: 1 }])
    expect(await lines(`address\n${'x'.repeat(100_000)}\nb@example.jp\n`, 1_000)).toMatchObject([
      { kind: 'unusable', line: 2 },
      { kind: 'entry', line: 3 },
    ])
  })

  it('comes back as it was written', async () => {
    const entry = fc.record({
      address: fc.nat().map((n) => `user${n}@example.jp`),
      reason: fc.constantFrom(...SUPPRESSION_REASONS),
      list: fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/), { nil: undefined }),
      since: fc.constant('2026-11-24T01:02:03.000Z'),
      reply: fc.option(
        fc.array(fc.constantFrom('"', ',', 'a', '漢', '\n', '5.1.1', ' '), { minLength: 1, maxLength: 20 }).map((parts) => `x${parts.join('')}x`),
        { nil: undefined },
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), async (entries, size) => {
        const text = csvHeader() + entries.map((one) => csvLine(one as SuppressionEntry)).join('')
        const read = await lines(text, size)
        expect(read.map((line) => line.kind === 'entry' && line.entry)).toEqual(entries.map((one) => JSON.parse(JSON.stringify(one))))
      }),
    )
  })
})
