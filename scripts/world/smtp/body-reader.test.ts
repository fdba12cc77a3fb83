import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyReader, messageIdOf } from './body-reader.ts'
import { FormCheck } from './form.ts'

/** what a reader makes of `wire` when it comes in pieces cut at `cuts`; `rest` is what stands behind the dot */
function read(wire: string, cuts: readonly number[]) {
  const bytes = Buffer.from(wire, 'latin1')
  const reader = new BodyReader('body')
  const edges = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const to of [...edges, bytes.length]) {
    const end = reader.feed(bytes.subarray(from, to), 0)
    if (end !== -1)
      return {
        rest: bytes.subarray(from + end).toString('latin1'),
        sizeBytes: reader.sizeBytes,
        messageId: reader.messageId,
        body: reader.body()?.toString('latin1'),
      }
    from = to
  }
  return null
}

const piece = fc.constantFrom('\r', '\n', '\r\n', '.', '..', 'a', '\r\n.', '\r\n..\r\n', 'Message-ID: <i@x>\r\n', '\r\n\r\n')

describe('finding the dot', () => {
  it('takes CRLF.CRLF however the bytes are cut, and nothing else, for the end', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 8 }), (pieces, cuts) => {
        const wire = pieces.join('')
        // a body starts as if a CRLF stood before it
        const at = `\r\n${wire}`.indexOf('\r\n.\r\n')
        const found = read(wire, cuts)
        expect(found?.rest ?? null).toBe(at === -1 ? null : wire.slice(at + 3))
        if (at !== -1) expect(found?.sizeBytes).toBe(at + 3)
      }),
      { numRuns: 1000 },
    )
  })

  it('finds the Message-ID and undoes doubled dots however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(80), { maxLength: 8 }), (cuts) => {
        const found = read('From: a@b\r\nMessage-ID: <i@x>\r\n\r\n..hidden\r\nMessage-ID: <not@this>\r\n.\r\nMAIL', cuts)
        expect(found).toEqual({
          rest: 'MAIL',
          sizeBytes: 69,
          messageId: '<i@x>',
          body: 'From: a@b\r\nMessage-ID: <i@x>\r\n\r\n.hidden\r\nMessage-ID: <not@this>\r\n',
        })
      }),
    )
  })

  it('takes a lone dot for an empty mail', () => {
    expect(read('.\r\nQUIT\r\n', [1, 2])).toMatchObject({ rest: 'QUIT\r\n', body: '', messageId: '' })
  })

  it.each([
    ['Subject: x\r\nMessage-Id: <a@b>\r\n', '<a@b>'],
    ['message-id:\r\n <a@b>\r\n', '<a@b>'],
    ['MESSAGE-ID: a@b\r\n', 'a@b'],
    ['X-Message-ID: <no>\r\n', ''],
    ['Subject: Message-ID: <no>\r\n', ''],
  ])('reads %j as Message-ID %j', (head, id) => {
    expect(messageIdOf(Buffer.from(head))).toBe(id)
  })
})

describe('the form of a body', () => {
  const faults = (text: string, cut: number): readonly string[] => {
    const check = new FormCheck()
    check.feed(Buffer.from(text.slice(0, cut), 'latin1'))
    check.feed(Buffer.from(text.slice(cut), 'latin1'))
    return [...check.faults].sort()
  }
  it.each([
    ['clean\r\nlines\r\n', []],
    ['a\nb\r\n', ['bare-lf']],
    ['a\rb\r\n', ['bare-cr']],
    ['a\0b\r\n', ['nul']],
    [`${'x'.repeat(998)}\r\n`, []],
    [`${'x'.repeat(999)}\r\n`, ['long-line']],
    ['\n', ['bare-lf']],
    ['a\r\rb\n', ['bare-cr', 'bare-lf']],
  ])('%j has %j, wherever the chunks are cut', (text, expected) => {
    for (let cut = 0; cut <= Math.min(text.length, 1010); cut += 1) expect(faults(text, cut)).toEqual(expected)
  })
})
