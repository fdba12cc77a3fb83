import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertEndsInCrlf, assertSendable, dotStuff, whyUnsendable } from './body.ts'
import { InvariantBroken } from '../../runtime/errors.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('dot stuffing', () => {
  test.each([
    ['.\r\n', '..\r\n'],
    ['a\r\n.b\r\n..c\r\n', 'a\r\n..b\r\n...c\r\n'],
    ['a.b\r\nc.\r\n', 'a.b\r\nc.\r\n'],
    ['', ''],
  ])('of %j gives %j', (body, stuffed) => {
    expect(Buffer.from(dotStuff(bytes(body))).toString('latin1')).toBe(stuffed)
  })

  test('copies nothing where there is nothing to double', () => {
    const body = bytes('Subject: x.y\r\n\r\na.b\r\n')
    expect(dotStuff(body)).toBe(body)
  })

  test('of any CRLF text is sendable, holds no lone dot, and a peer that takes the dots away again has the text', () => {
    const line = fc.string({ unit: fc.constantFrom('.', 'a', ' '), maxLength: 6 })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        const body = lines.map((text) => `${text}\r\n`).join('')
        const stuffed = Buffer.from(dotStuff(bytes(body)))
        expect(whyUnsendable(stuffed)).toBeNull()
        expect(`\r\n${stuffed.toString('latin1')}`).not.toContain('\r\n.\r\n')
        expect(stuffed.toString('latin1').replaceAll(/^\./gm, '')).toBe(body)
      }),
    )
  })
})

describe('a body that must not be sent', () => {
  test.each([
    ['', 'it does not end in CRLF'],
    ['a', 'it does not end in CRLF'],
    ['a\n', 'it does not end in CRLF'],
    ['a\nb\r\n', 'bare LF at byte 1'],
    ['a\rb\r\n', 'bare CR at byte 1'],
    ['a\r\r\n', 'bare CR at byte 1'],
    ['a\0b\r\n', 'NUL at byte 1'],
    ['a\r\n.b\r\n', 'a leading dot that is not doubled at byte 3'],
    ['.\r\n', 'a leading dot that is not doubled at byte 0'],
    [`${'x'.repeat(999)}\r\n`, 'a line of 999 bytes at byte 0'],
  ])('%j: %s', (body, why) => {
    expect(whyUnsendable(bytes(body))).toBe(why)
    expect(() => assertSendable(bytes(body))).toThrow(InvariantBroken)
  })

  test('a line of 998 passes, and the dot that stuffing added does not count', () => {
    expect(whyUnsendable(bytes(`${'x'.repeat(998)}\r\n.${'.'.repeat(998)}\r\n`))).toBeNull()
  })
})

test('the cheap look finds the end over empty chunks and chunk borders', () => {
  for (const good of [['a\r\n'], ['a\r', '\n'], ['a', '', '\r', '', '\n', '']]) expect(() => assertEndsInCrlf(good.map(bytes))).not.toThrow()
  for (const bad of [[], [''], ['a'], ['a\n'], ['\n'], ['a\r', 'x\n'], ['a\r\n', '\n']]) expect(() => assertEndsInCrlf(bad.map(bytes))).toThrow(InvariantBroken)
})
