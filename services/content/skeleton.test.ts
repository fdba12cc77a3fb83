import { simpleParser } from 'mailparser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assemble, boundaryOf, stuffDots } from './assemble.ts'
import { encodedSize, encodeAttachment, encodeTextBody, textFromHtml } from './bodies.ts'
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
        const { fields, body } = assemble(skeleton, new Map([['text', encodeTextBody('hello')]]), boundaryOf('<a@b>'))
        const parsed = await simpleParser(Buffer.concat([Buffer.from(`${fields.join('\r\n')}\r\n\r\n`), body]))
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

describe('a text body', () => {
  test('goes as it is when it is short ASCII, else in the smaller encoding', () => {
    expect(encodeTextBody('plain\nlines\n')).toEqual({ encoding: '7bit', body: 'plain\r\nlines' })
    expect(encodeTextBody('春の新作です')).toMatchObject({ encoding: 'base64' })
    expect(encodeTextBody(`café ${'x'.repeat(100)}`)).toMatchObject({ encoding: 'quoted-printable' })
    expect(encodeTextBody('From here on')).toMatchObject({ encoding: 'base64' })
  })

  test('made of html keeps the link and leaves the picture', () => {
    expect(textFromHtml('<h1>春</h1><p><a href="https://acme.example/x">新作</a>です</p><img src="cid:logo" alt="x">')).toBe(
      '春\n\n新作 ( https://acme.example/x )です',
    )
  })
})

describe('dots', () => {
  test('at the beginning of a line are doubled, and only those', () => {
    const stuffed = (text: string) => Buffer.from(stuffDots(Buffer.from(text))).toString()
    expect(stuffed('A: 1\r\n\r\n.\r\n..\r\na.b\r\n.c\r\n')).toBe('A: 1\r\n\r\n..\r\n...\r\na.b\r\n..c\r\n')
    expect(stuffed('A: 1\r\n\r\nx\r\n')).toBe('A: 1\r\n\r\nx\r\n')
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('.', 'a'), maxLength: 4 })), (lines) => {
        const text = `H: 1\r\n${lines.map((line) => `${line}\r\n`).join('')}`
        expect(stuffed(text).replaceAll('\r\n.', '\r\n')).toBe(text)
      }),
    )
  })
})
