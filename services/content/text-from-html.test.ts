import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EncodedText, encodeTextBody } from './bodies.ts'
import { joinSlots } from './slots.ts'
import { compileTemplate, scopeOf, type Template } from './template.ts'
import { textBodyFromHtml, textFromHtml } from './text-from-html.ts'

const MARKUP = [
  ...[
    '<p>',
    '</p>',
    '<h1>',
    '</h1>',
    '<br>',
    '<a href="https://acme.example/{{ token }}">',
    '</a>',
    '<b>',
    '</b>',
    '<ul><li>',
    '</li></ul>',
    '<table><tr><td>',
  ],
  ...[
    '</td></tr></table>',
    '{{ name }}',
    '{{ token }}',
    ' {{ name | upcase }} ',
    'text ',
    '春の',
    '&amp; ',
    '\n  ',
    '<img src="x" alt="{{ name }}">',
    '<pre>',
    '</pre>',
  ],
]
const source = fc.array(fc.constantFrom(...MARKUP), { maxLength: 14 }).map((pieces) => pieces.join(''))
const value = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }),
  fc.constantFrom('太郎', 'Taro Yamada', '<b>&"\'', ' a', 'a  b', '', 'x\ny'),
)

function compile(text: string): Template {
  const template = compileTemplate('html', text, 'html')
  if (!('render' in template)) throw new Error(template.map(({ message }) => message).join())
  return template
}

function decoded({ encoding, body }: EncodedText): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString()
  if (encoding === '7bit') return body
  return Buffer.from(
    body.replaceAll('=\r\n', '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()
}

describe('the text made of an HTML mail', () => {
  test('keeps the link, leaves the picture, and does not shout', () => {
    expect(textFromHtml('<h1>Dear 春</h1><p><a href="https://acme.example/x">新作</a>です</p><img src="cid:logo" alt="x">')).toBe(
      'Dear 春\n\n新作 ( https://acme.example/x )です',
    )
  })

  test('is the same whether the markup was read once or for the recipient', () => {
    fc.assert(
      fc.property(source, value, value, (text, name, token) => {
        const template = compile(text)
        const scope = scopeOf({ address: 'taro@example.jp', vars: { name, token } })
        const values = template.slots.map((slot) => slot(scope, { now: 0, missing: 'refuse' })) as string[]
        // A link whose text is its address is written once; that two values agree is not known before they are there.
        fc.pre(name !== token)
        const byHand = encodeTextBody(textFromHtml(joinSlots(template.texts, template.order, values)))
        expect(decoded(textBodyFromHtml(template)(values))).toBe(decoded(byHand))
      }),
      { numRuns: 2_000 },
    )
  })

  test('of values that bring markup is read for each recipient', () => {
    const template = compile('<p>{{ body | raw }}</p>')
    expect(textBodyFromHtml(template)(['<a href="https://acme.example/">here</a>'])).toMatchObject({ body: 'here ( https://acme.example/ )' })
  })
})
