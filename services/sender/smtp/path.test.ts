import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatPath } from './path.ts'
import { InvariantBroken } from '../../runtime/errors.ts'

test.each([
  ['taro@example.jp', 'taro@example.jp'],
  ['taro.yamada+news@docomo.ne.jp', 'taro.yamada+news@docomo.ne.jp'],
  ['taro..y@docomo.ne.jp', '"taro..y"@docomo.ne.jp'],
  ['abc.@ezweb.ne.jp', '"abc."@ezweb.ne.jp'],
  ['.abc@ezweb.ne.jp', '".abc"@ezweb.ne.jp'],
  ['"abc."@ezweb.ne.jp', '"abc."@ezweb.ne.jp'],
  ['"taro"@example.jp', 'taro@example.jp'],
  ['a"b@example.jp', '"a\\"b"@example.jp'],
  ['"a\\"b\\\\"@example.jp', '"a\\"b\\\\"@example.jp'],
  ['a b@example.jp', '"a b"@example.jp'],
  ['a@b@example.jp', '"a@b"@example.jp'],
  ['太郎@例え.jp', '太郎@例え.jp'],
  ['postmaster@[203.0.113.5]', 'postmaster@[203.0.113.5]'],
  ['', ''],
])('%j stands in a command as <%s>', (address, path) => {
  expect(formatPath(address)).toBe(path)
})

test.each(['taro', '@example.jp', 'taro@', 'taro\r\nDATA@example.jp', 'taro@example.jp\r\nRSET', 'taro@exam ple.jp', 'taro@a>b', 'ta\0ro@example.jp'])(
  '%j cannot stand in a command at all',
  (address) => {
    expect(() => formatPath(address)).toThrow(InvariantBroken)
  },
)

test('no address smuggles a second command or leaves its brackets, and formatting twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', '@', '"', '\\', ' ', '>', '<', '\r', '\n', '\0'), maxLength: 12 }), (address) => {
      let path: string
      try {
        path = formatPath(address)
      } catch (error) {
        expect(error).toBeInstanceOf(InvariantBroken)
        return
      }
      expect(path).not.toMatch(/[\r\n\0]/)
      // a bracket outside of quotes would end the path
      expect(path.replaceAll(/"(\\.|[^"\\])*"/g, '')).not.toMatch(/[<>"\s]/)
      expect(formatPath(path)).toBe(path)
    }),
    { numRuns: 2_000 },
  )
})
