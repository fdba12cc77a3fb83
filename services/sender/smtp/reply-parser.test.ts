import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ReplyParser, parseReply } from './reply-parser.ts'
import type { Reply } from './types.ts'

function read(...chunks: (string | Buffer)[]): { replies: Reply[]; fault: string | null } {
  const parser = new ReplyParser()
  const replies: Reply[] = []
  for (const chunk of chunks) {
    parser.feed(Buffer.from(chunk as string))
    for (let reply = parser.next(); reply !== null; reply = parser.next()) replies.push(reply)
  }
  return { replies, fault: parser.fault }
}

describe('a reply', () => {
  test.each<[string, Reply]>([
    ['250 2.1.0 Ok\r\n', { code: 250, enhanced: '2.1.0', text: 'Ok' }],
    ['250 Ok\n', { code: 250, enhanced: null, text: 'Ok' }],
    ['354\r\n', { code: 354, enhanced: null, text: '' }],
    ['250 \r\n', { code: 250, enhanced: null, text: '' }],
    ['550 5.1.1\r\n', { code: 550, enhanced: '5.1.1', text: '' }],
    [
      '421 4.7.0 [TSS04] Messages from 203.0.113.5 temporarily deferred\r\n',
      { code: 421, enhanced: '4.7.0', text: '[TSS04] Messages from 203.0.113.5 temporarily deferred' },
    ],
    // no enhanced codes: a version, an address, a fourth digit, a class that RFC 3463 does not know
    ['220 2.15.1-beta ready\r\n', { code: 220, enhanced: null, text: '2.15.1-beta ready' }],
    ['550 5.1.1000 x\r\n', { code: 550, enhanced: null, text: '5.1.1000 x' }],
    ['554 3.1.1 x\r\n', { code: 554, enhanced: null, text: '3.1.1 x' }],
    ['550 5.7.1: no\r\n', { code: 550, enhanced: null, text: '5.7.1: no' }],
    ['450 4.2.1  two spaces\r\n', { code: 450, enhanced: '4.2.1', text: ' two spaces' }],
  ])('%j is read as it stands', (bytes, reply) => {
    expect(read(bytes)).toEqual({ replies: [reply], fault: null })
  })

  test('of several lines is joined by spaces, the repeated enhanced code said once', () => {
    const { replies } = read(
      '550-5.7.26 This mail has been blocked because\r\n550-5.7.26 the sender is unauthenticated.\r\n550 5.7.26  https://example.com - gsmtp\r\n',
    )
    expect(replies).toEqual([
      { code: 550, enhanced: '5.7.26', text: 'This mail has been blocked because the sender is unauthenticated.  https://example.com - gsmtp' },
    ])
  })

  test('with different codes on its lines counts by the last line', () => {
    expect(read('250-well\r\n550 no\r\n').replies).toEqual([{ code: 550, enhanced: null, text: 'well no' }])
  })

  test('in Japanese is read as UTF-8, what is no UTF-8 byte by byte', () => {
    expect(read('550 宛先が不明です\r\n').replies[0]?.text).toBe('宛先が不明です')
    expect(read(Buffer.from([0x35, 0x35, 0x30, 0x20, 0xe9, 0x0d, 0x0a])).replies[0]?.text).toBe('é')
  })

  test('as nodemailer keeps it is read the same', () => {
    expect(parseReply('554-5.7.1 a\n554 5.7.1 b')).toEqual({ code: 554, enhanced: '5.7.1', text: 'a b' })
    expect(parseReply('')).toBeNull()
  })
})

describe('what is no reply', () => {
  test.each(['hello there\r\n', '25\r\n', '\r\n', '2500 x\r\n', '150 x\r\n', '250x\r\n', 'HTTP/1.1 400 Bad Request\r\n'])(
    '%j is a fault, and nothing is read behind it',
    (bytes) => {
      const { replies, fault } = read('250 ok\r\n', bytes, '250 ok\r\n')
      expect(replies).toHaveLength(1)
      expect(fault).toMatch(/not a reply/)
    },
  )

  test('a line of 4,096 bytes passes, a longer one does not, whether it ends or not', () => {
    expect(read(`250 ${'x'.repeat(4_092)}\r\n`).fault).toBeNull()
    expect(read(`250 ${'x'.repeat(4_093)}\r\n`).fault).toMatch(/4096/)
    expect(read(...new Array<string>(5_000).fill('2')).fault).toMatch(/4096/)
  })

  test('a reply without end stops at 64 KB', () => {
    expect(read(...new Array<string>(40).fill(`250-${'x'.repeat(2_000)}\r\n`)).fault).toMatch(/65536/)
  })
})

test('however the bytes are cut, the replies are the same', () => {
  const word = fc.string({ unit: fc.constantFrom('a', ' ', '5', '.', '-', '語', 'é'), maxLength: 12 })
  const line = fc.record({ enhanced: fc.constantFrom('', '5.1.1 ', '4.2.255 ', '9.9.9 '), text: word })
  const reply = fc
    .record({ code: fc.integer({ min: 200, max: 599 }), lines: fc.array(line, { minLength: 1, maxLength: 4 }), end: fc.constantFrom('\r\n', '\n') })
    .map(({ code, lines, end }) => lines.map(({ enhanced, text }, i) => `${code}${i === lines.length - 1 ? ' ' : '-'}${enhanced}${text}${end}`).join(''))
  fc.assert(
    fc.property(fc.array(reply, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(200), { maxLength: 30 }), (replies, cuts) => {
      const bytes = Buffer.from(replies.join(''))
      const whole = read(bytes)
      expect(whole.fault).toBeNull()
      expect(whole.replies).toHaveLength(replies.length)
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + (cut % 17)))
        at += cut % 17
      }
      chunks.push(bytes.subarray(at))
      expect(read(...chunks)).toEqual(whole)
      expect(read(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole)
    }),
    { numRuns: 200 },
  )
})
