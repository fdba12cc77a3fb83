import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressProblem, formatAddress, isRoleAddress, needsSmtputf8, normaliseAddress, parseAddress } from './addresses.ts'

describe('an address', () => {
  test.each([
    ['taro@example.jp', 'taro', 'example.jp'],
    ['Taro.Yamada+news@Example.JP', 'Taro.Yamada+news', 'example.jp'],
    ["o'brien!#$%&*/=?^_`{|}~-@a-b.example", "o'brien!#$%&*/=?^_`{|}~-", 'a-b.example'],
    ['taro..y@docomo.ne.jp', 'taro..y', 'docomo.ne.jp'],
    ['abc.@ezweb.ne.jp', 'abc.', 'ezweb.ne.jp'],
    ['"abc."@ezweb.ne.jp', 'abc.', 'ezweb.ne.jp'],
    ['"taro yamada"@example.jp', 'taro yamada', 'example.jp'],
    ['"a@b\\"c\\\\d"@example.jp', 'a@b"c\\d', 'example.jp'],
    ['太郎@日本語.jp', '太郎', 'xn--wgv71a119e.jp'],
    ['taro@日本語.jp', 'taro', 'xn--wgv71a119e.jp'],
    ['taro@XN--WGV71A119E.jp', 'taro', 'xn--wgv71a119e.jp'],
    ['taro@ｅｘａｍｐｌｅ.jp', 'taro', 'example.jp'],
  ])('%s is read', (address, local, domain) => {
    expect(parseAddress(address)).toEqual({ local, domain })
    expect(addressProblem(address)).toBeNull()
  })

  test.each([
    ['taro@@example.jp', 'more than one @'],
    ['taro', 'no @'],
    ['taro＠example.jp', 'no @'],
    ['@example.jp', 'nothing stands before'],
    ['taro@', 'nothing stands behind'],
    ['taro yamada@example.jp', 'U+0020'],
    [' taro@example.jp', 'space'],
    ['ta\u200bro@example.jp', 'U+200B'],
    ['taro\u3000@example.jp', 'space'],
    ['taro,hanako@example.jp', 'quotes'],
    ['<taro@example.jp>', 'quotes'],
    ['taro@example.jp\r\nRCPT TO:<x@y.jp>', 'more than one @'],
    ['taro\r\n@example.jp', 'space'],
    ['ta\0ro@example.jp', 'U+0000'],
    ['"ta\r\nro"@example.jp', 'quoted part'],
    ['"taro"x@example.jp', 'quoted part'],
    ['""@example.jp', 'quoted part'],
    ['...@example.jp', 'only dots'],
    ['taro@localhost', 'no dot'],
    ['taro@[192.0.2.1]', 'literals'],
    ['taro@192.0.2.1', 'number'],
    ['taro@example..jp', 'not a domain name'],
    ['taro@.example.jp', 'not a domain name'],
    ['taro@example.jp.', 'not a domain name'],
    ['taro@-example.jp', 'not a domain name'],
    ['taro@exa_mple.jp', 'character'],
    ['taro@ex%61mple.日本', 'character'],
    ['taro@xn--\u00e4.jp', 'not a domain name'],
    [`${'a'.repeat(65)}@example.jp`, '64 octets'],
    [`${'あ'.repeat(22)}@example.jp`, '64 octets'],
    [`taro@${'a'.repeat(64)}.jp`, 'not a domain name'],
    [`${'a'.repeat(64)}@${`${'b'.repeat(62)}.`.repeat(3)}jp`, '254'],
  ])('%j is refused: %s', (address, why) => {
    expect(parseAddress(address)).toBeNull()
    expect(addressProblem(address)).toContain(why)
  })

  test('the refusal shows the address, and cannot break a line of log', () => {
    expect(addressProblem('taro@@example.jp')).toBe('"taro@@example.jp" is not an address (RFC 5321 4.1.2): it has more than one @')
    expect(addressProblem('a\r\nb@example.jp')).not.toMatch(/[\r\n]/)
  })

  test('goes out quoted exactly when it is no dot-atom', () => {
    const sent = (address: string) => formatAddress(parseAddress(address) as { local: string; domain: string })
    expect(sent('taro..y@docomo.ne.jp')).toBe('"taro..y"@docomo.ne.jp')
    expect(sent('"taro.y"@docomo.ne.jp')).toBe('taro.y@docomo.ne.jp')
    expect(sent('"a\\"b"@example.jp')).toBe('"a\\"b"@example.jp')
    expect(sent('太郎@例え.jp')).toBe('太郎@xn--r8jz45g.jp')
  })

  test('needs SMTPUTF8 for its local part only', () => {
    expect(needsSmtputf8({ local: '太郎', domain: 'example.jp' })).toBe(true)
    expect(needsSmtputf8({ local: 'taro', domain: 'xn--wgv71a119e.jp' })).toBe(false)
  })

  test('of an office is known by its local part', () => {
    expect(isRoleAddress({ local: 'Postmaster', domain: 'example.jp' })).toBe(true)
    expect(isRoleAddress({ local: 'postmaster-fan', domain: 'example.jp' })).toBe(false)
  })
})

describe('properties of addresses', () => {
  const atext = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+/=?^_`{|}~-"
  const atom = fc.string({ unit: fc.constantFrom(...atext), minLength: 1, maxLength: 12 })
  const dotAtom = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.'))
  const domain = fc.domain()

  test('every dot-atom at every domain is an address and goes out as written, domain in lower case', () => {
    fc.assert(
      fc.property(dotAtom, domain, (local, at) => {
        const parsed = parseAddress(`${local}@${at}`)
        expect(parsed).not.toBeNull()
        expect(formatAddress(parsed as { local: string; domain: string })).toBe(`${local}@${at.toLowerCase()}`)
      }),
    )
  })

  test('whatever is accepted holds no CR, LF, NUL or second reading', () => {
    const piece = fc.oneof(atom, fc.constantFrom('@', '"', '\\', '.', ' ', '\r\n', '\0', '<', '>', 'あ', 'example.jp'), fc.string({ unit: 'grapheme' }))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const parsed = parseAddress(pieces.join(''))
        if (!parsed) return
        const sent = formatAddress(parsed)
        expect(sent).not.toMatch(/[\r\n\0]/)
        expect(parseAddress(sent)).toEqual(parsed)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a key is its own key, and ignores case and quotes', () => {
    fc.assert(
      fc.property(dotAtom, domain, (local, at) => {
        const key = normaliseAddress(`${local}@${at}`) as string
        expect(normaliseAddress(key)).toBe(key)
        expect(normaliseAddress(`${local.toUpperCase()}@${at.toUpperCase()}`)).toBe(key)
        expect(normaliseAddress(`"${local}"@${at}`)).toBe(key)
      }),
    )
    expect(normaliseAddress('taro..y@docomo.ne.jp')).toBe(normaliseAddress('"TARO..Y"@docomo.ne.jp'))
    expect(normaliseAddress('no address')).toBeNull()
  })

  test('the quick way for what is usual says what reading says', () => {
    const piece = fc.oneof(
      { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9]{1,4}$/) },
      fc.constantFrom('.', '-', '+', '_', '--', 'xn--', 'A', 'é', 'a'.repeat(60), '\n', '"'),
    )
    const side = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(side, fc.array(side, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '.jp', '.1', '.xn--p1ai'), (local, labels, end) => {
        const address = `${local}@${labels.join('.')}${end}`
        const parsed = parseAddress(address)
        expect(addressProblem(address) === null).toBe(parsed !== null)
        expect(normaliseAddress(address)).toBe(parsed && formatAddress({ ...parsed, local: parsed.local.normalize('NFC').toLowerCase() }))
      }),
      { numRuns: 3_000 },
    )
  })
})
