import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type ListLine, readList } from './list-reader.ts'

const LINES = [
  '{"address":"taro@example.jp","name":"山田 太郎","vars":{"points":3}}',
  '{"address":"taro@@example.jp"}',
  '',
  '{"address":"hanako@example.jp","ref":"r-2"}',
  'no JSON',
  `{"address":"${'x'.repeat(300_000)}@example.jp"}`,
  '{"address":"last@example.jp"}',
]
const TEXT = new TextEncoder().encode(LINES.join('\n'))

async function read(cuts: readonly number[]): Promise<readonly ListLine[]> {
  async function* chunks() {
    const at = [0, ...[...cuts].sort((a, b) => a - b), TEXT.length]
    for (let n = 1; n < at.length; n++) yield TEXT.subarray(at[n - 1], at[n])
  }
  const lines: ListLine[] = []
  for await (const some of readList(chunks(), 'ndjson', 'notice')) lines.push(...some)
  return lines
}

it('reads the same lines wherever the chunks of the object end', async () => {
  const whole = await read([])
  expect(whole.map(({ kind }) => kind)).toEqual(['recipient', 'unusable', 'blank', 'recipient', 'unusable', 'unusable', 'recipient'])
  expect(whole.at(-2)).toMatchObject({ line: 6, problems: [{ path: 'line 6', message: 'is longer than 262144 octets' }] })
  expect(whole.map(({ after }) => after).slice(0, 3)).toEqual([LINES[0], LINES[1], LINES[2]].map((_, at) => octets(LINES.slice(0, at + 1))))
  expect(whole.at(-1)).toMatchObject({ line: 7, after: TEXT.length, recipient: { address: 'last@example.jp' } })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: TEXT.length }), { maxLength: 6 }), async (cuts) => void expect(await read(cuts)).toEqual(whole)),
    { numRuns: 50 },
  )
})

const octets = (lines: readonly string[]) => new TextEncoder().encode(`${lines.join('\n')}\n`).length
