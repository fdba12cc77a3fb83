import { serialize } from 'node:v8'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import MailComposer from 'nodemailer/lib/mail-composer'
import { describe, expect, test } from 'vitest'
import { bodyOf, encodeTextBody, type EncodedText } from './bodies.ts'
import { relaxedLines } from './canonical.ts'
import { bodyFields } from './skeleton.ts'
import { joinSlots } from './slots.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(' ', '\t', '.', 'a', '=', 'é', '鳩', '\n', '\r\n', '"'), maxLength: 30 }),
  fc.constantFrom(
    '',
    'From me',
    '.',
    '\n.\nFrom x\n',
    ' ',
    '\t\n',
    '春の新作です'.repeat(40),
    'x'.repeat(200),
    `${'y '.repeat(50)}`,
    '🕊️'.repeat(20),
    `${'x'.repeat(42)}鳩鳩`,
    '='.repeat(80),
    '\ud800',
    // What only together makes a line that must not be: `From `, a dot or a blank where a line begins or ends.
    ...[
      'F',
      'Fr',
      'om ',
      'From',
      'rom me',
      ' x',
      'x ',
      '\n',
      '\n ',
      ' \n',
      'x'.repeat(19),
      'x'.repeat(20),
      'x'.repeat(21),
      `${'y'.repeat(70)} `,
      `${'y'.repeat(75)}.y`,
    ],
  ),
)
const pieces = fc.array(text, { minLength: 1, maxLength: 7 }).chain((texts) =>
  fc.array(text, { minLength: 1, maxLength: 3 }).chain((values) =>
    fc.array(fc.nat({ max: values.length - 1 }), { minLength: texts.length - 1, maxLength: texts.length - 1 }).map((order) => ({
      texts,
      values,
      order,
      uses: values.map((_, slot) => order.filter((one) => one === slot).length),
    })),
  ),
)

/** The text as every reader should see it. NOTE: line ends are told apart piece by piece, so a CR and an LF of two pieces are two. */
function sent(texts: readonly string[], order: readonly number[], values: readonly string[]): string {
  const clean = (piece: string) => piece.toWellFormed().replaceAll('\0', '').replace(/\r\n?/g, '\n')
  return joinSlots(texts.map(clean), order, values.map(clean))
}

async function read(encoded: EncodedText): Promise<string> {
  const mail = `${bodyFields('text', encoded).join('\r\n')}\r\n\r\n${encoded.body}\r\n`
  return (await simpleParser(Buffer.from(mail, 'latin1'))).text ?? ''
}

/** What a mail program may add or lose at the very end. */
function trimmed(body: string): string {
  return body.replace(/\n+$/, '')
}

describe('a body made of pieces', () => {
  test('reads as the whole text, and as what nodemailer makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, async ({ texts, order, values, uses }) => {
        const encoded = bodyOf({ texts, order, uses })(values)
        const whole = sent(texts, order, values)
        const byUs = await read(encoded)
        expect(trimmed(byUs)).toBe(trimmed(whole))
        const composed = await new MailComposer({ text: whole, newline: 'windows' }).compile().build()
        expect(trimmed(byUs)).toBe(trimmed((await simpleParser(composed)).text ?? ''))
      }),
      { numRuns: 400 },
    )
  })

  test('is ASCII in short lines, none of which mailbox files or dots change, and is canonical for DKIM', () => {
    fc.assert(
      fc.property(pieces, ({ texts, order, values, uses }) => {
        const { body, encoding, canonical } = bodyOf({ texts, order, uses })(values)
        expect(body).toMatch(/^[\t\r\n\x20-\x7e]*$/)
        expect(body.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
        const lines = body.split('\r\n')
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(76)
        expect(lines.filter((line) => line.startsWith('From '))).toEqual([])
        if (encoding !== '7bit') expect(lines.filter((line) => /^\.|[ \t]$/.test(line))).toEqual([])
        expect(canonical).toBe(relaxedLines(body))
        expect([body, canonical].map(octetsACharacter)).toEqual([1, 1])
        if (encoding === 'quoted-printable') for (const line of lines) expect(() => wholeCharacters.decode(octetsOf(line))).not.toThrow()
      }),
      { numRuns: 5_000 },
    )
  })

  test('goes as it is, whatever its pieces, exactly when the whole text may', () => {
    const ascii = fc.array(fc.constantFrom('', ' ', '\t', 'a', '.', 'From ', 'F', 'rom ', '\r\n', '\n', '  x', 'y'.repeat(37), 'z'.repeat(76), ' \r\n'), {
      maxLength: 4,
    })
    const ofAscii = ascii.map((parts) => parts.join(''))
    const plain = fc.oneof(fc.constantFrom('Taro', '17', 'a b', 'a  b', 'F', 'From', 'From me', 'x'.repeat(38), 'x'.repeat(76)), ofAscii)
    fc.assert(
      fc.property(fc.array(ofAscii, { minLength: 2, maxLength: 5 }), fc.array(plain, { minLength: 4, maxLength: 4 }), (texts, values) => {
        const order = texts.slice(1).map((_, at) => at)
        const encoded = bodyOf({ texts, order, uses: order.map(() => 1) })(values)
        const whole = encodeTextBody(sent(texts, order, values))
        expect(encoded.encoding === '7bit').toBe(whole.encoding === '7bit')
        if (encoded.encoding === '7bit') expect(encoded).toEqual(whole)
      }),
      { numRuns: 5_000 },
    )
  })

  test('begins no line with a `From ` that only texts and values together make', () => {
    const part = fc.constantFrom('', 'F', 'Fr', 'rom', 'From', 'om ', 'm ', ' ', '\r\n', 'me', 'x'.repeat(26))
    const parts = fc.tuple(fc.array(part, { minLength: 3, maxLength: 6 }), fc.array(part, { minLength: 6, maxLength: 6 }))
    fc.assert(
      fc.property(parts, ([texts, values]) => {
        const order = texts.slice(1).map((_, at) => at)
        const { body, encoding } = bodyOf({ texts: [`é${'x'.repeat(20)}\r\n${texts[0]}`, ...texts.slice(1)], order, uses: order.map(() => 1) })(values)
        expect(encoding).toBe('quoted-printable')
        expect(body).not.toMatch(/^From /m)
      }),
      { numRuns: 5_000 },
    )
  })

  test('goes as it is when it is short ASCII, else in the smaller encoding', () => {
    expect(encodeTextBody('plain\nlines\n')).toEqual({ encoding: '7bit', body: 'plain\r\nlines', canonical: 'plain\r\nlines' })
    expect(encodeTextBody('春の新作です')).toMatchObject({ encoding: 'base64' })
    expect(encodeTextBody(`café ${'x'.repeat(100)}`)).toMatchObject({ encoding: 'quoted-printable' })
    expect(encodeTextBody('From here on')).toMatchObject({ encoding: 'quoted-printable', body: '=46rom here on' })
  })

  test('follows its values: the same template goes out in the encoding that suits the recipient', () => {
    const body = bodyOf({ texts: ['Dear ', ',\nhello\n'], order: [0], uses: [1] })
    expect([body(['Taro']).encoding, body(['太郎']).encoding, body(['鳩'.repeat(30)]).encoding]).toEqual(['7bit', 'base64', 'base64'])
    expect(body(['José']).encoding).toBe('quoted-printable')
  })

  test('has short values within its lines, which stay as they are, and long ones in lines of their own', () => {
    const body = bodyOf({ texts: [`é ${'x'.repeat(80)} `, ', the quick brown fox (', ').'], order: [0, 1], uses: [1, 1] })
    const first = `=C3=A9 ${'x'.repeat(68)}=`
    expect(body(['Taro', '17']).body.split('\r\n')).toEqual([first, `${'x'.repeat(12)} Taro, the quick brown fox (=`, '17).'])
    expect(body(['', '']).body.split('\r\n')).toEqual([first, `${'x'.repeat(12)} , the quick brown fox (=`, ').'])
    const long = 'y'.repeat(80)
    expect(body([long, '17']).body.split('\r\n')).toEqual([
      ...[first, `${'x'.repeat(12)} =`, `${'y'.repeat(75)}=`, `${'y'.repeat(5)}=`, ', the quick brown fox (=', '17).'],
    ])
  })

  test('quotes no half of a character', () => {
    const { body, encoding } = encodeTextBody(`${'x'.repeat(200)} 鳩鳩鳩鳩鳩 ${'x'.repeat(200)}`)
    expect(encoding).toBe('quoted-printable')
    for (const line of body.split('\r\n')) expect(() => wholeCharacters.decode(octetsOf(line))).not.toThrow()
  })
})

/** How V8 holds it, which its serializer tells: octets as they lie there, behind a few of its own. */
function octetsACharacter(text: string): number {
  return serialize(text).length < text.length + 8 ? 1 : 2
}

const wholeCharacters = new TextDecoder('utf-8', { fatal: true })

function octetsOf(line: string): Buffer {
  return Buffer.from(
    line.replace(/=$/, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}
