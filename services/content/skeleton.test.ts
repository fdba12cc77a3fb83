import { simpleParser } from 'mailparser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembler, boundaryOf, lengthOfTexts, stuffDots, writePieces } from './assemble.ts'
import { encodedSize, encodeAttachment } from './base64.ts'
import { encodeTextBody } from './bodies.ts'
import { buildSkeleton } from './skeleton.ts'

describe('an attachment', () => {
  test('of any name and any octets arrives as it was', async () => {
    const name = fc
      .string({
        unit: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), fc.constantFrom('"', '\\', ';', "'", '%', '=?', ' ', '春')),
        minLength: 1,
        maxLength: 60,
      })
      .map((text) => `a${text.replace(/[\p{Cc}\p{Cs}]|\s+/gu, ' ')}.pdf`)
    await fc.assert(
      fc.asyncProperty(name, fc.uint8Array({ minLength: 1, maxLength: 300 }), async (filename, bytes) => {
        const skeleton = buildSkeleton(['text'], [{ filename, contentType: 'application/pdf', object: 'o', bytes }])
        const { fields, body } = assembler(skeleton)(new Map([['text', encodeTextBody('hello')]]), boundaryOf('<a@b>'))
        const chunks = writePieces(body, Buffer.alloc(lengthOfTexts(body)), 0)
        const parsed = await simpleParser(Buffer.concat([Buffer.from(`${fields.join('\r\n')}\r\n\r\n`), ...chunks]))
        expect(parsed.attachments.map((one) => one.filename)).toEqual([filename])
        expect(parsed.attachments[0]?.content.equals(Buffer.from(bytes))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('has the size that acceptance reckons with', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2_000 }), (length) => {
        expect(Math.abs(encodedSize(length) - encodeAttachment(new Uint8Array(length)).length)).toBeLessThanOrEqual(2)
      }),
    )
  })
})

describe('dots', () => {
  test('at the beginning of a line are doubled, and only those', () => {
    const stuffed = (...texts: string[]) => Buffer.concat(stuffDots(texts.map((text) => Buffer.from(text)))).toString()
    expect(stuffed('A: 1\r\n\r\n.\r\n..\r\na.b\r\n.c\r\n')).toBe('A: 1\r\n\r\n..\r\n...\r\na.b\r\n..c\r\n')
    expect(stuffed('A: 1\r\n\r\nx\r\n')).toBe('A: 1\r\n\r\nx\r\n')
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('.', 'a'), maxLength: 4 })), fc.nat({ max: 5 }), (lines, head) => {
        const spelled = lines.map((line) => `${line}\r\n`)
        const text = `H: 1\r\n${spelled.join('')}`
        expect(stuffed(text).replaceAll('\r\n.', '\r\n')).toBe(text)
        const chunks = [`H: 1\r\n${spelled.slice(0, head).join('')}`, spelled.slice(head).join('')]
        expect(stuffed(...chunks)).toBe(stuffed(text))
      }),
    )
  })
})
