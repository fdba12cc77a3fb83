import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Flavour, parse, renderNodes } from './liquid.ts'
import { compileTemplate, scopeOf, type Template } from './template.ts'

const NOW = Date.UTC(2026, 11, 1, 12)

const PIECES = [
  ...['{{ name }}', '{{name}}', '{{- name -}}', '{{ name | upcase }}', "{{ name | default: 'お客' }}", '{{ count }}', '{{ count | plus: 1 }}', '{{ vip }}'],
  ...['{{ order.id }}', '{{ order }}', '{{ list }}', '{{ list | join: "、" }}', '{{ nobody }}', '{{ size }}', '{{ true }}', '{{ empty }}', '{{ name | raw }}'],
  ...[
    '{% if vip %}VIP {{ name }}{% else %}-{% endif %}',
    '{%- unless vip -%} no {%- endunless -%}',
    '{% for x in list %}<{{ x }}>{{ forloop.index }}{% endfor %}',
  ],
  ...[
    "{% case name %}{% when '太郎' %}T{% else %}E{% endcase %}",
    '{% comment %}{{ nothing }}{% endcomment %}',
    '{% raw %}{{ name }}{% endraw %}',
    '{% # a note %}',
  ],
  ...[
    "{% assign name = 'other' %}",
    '{% capture vip %}x{% endcapture %}',
    "{% cycle 'a', 'b' %}",
    '{% increment n %}',
    '{% for x in list limit: 1 offset: continue %}{{ x }}{% endfor %}',
  ],
  ...[' ', '\n', 'text', '春の新作です', '<p>"&', '{ % }', '.'],
]
const source = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(''))
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('太郎', '<b>"\'&', '', null),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
)
const vars = fc.record(
  { name: value, count: value, vip: value, size: value, order: fc.record({ id: value }), list: fc.array(value, { maxLength: 3 }) },
  { requiredKeys: [] },
)

function compile(text: string, flavour: Flavour): Template {
  const template = compileTemplate('text', text, flavour)
  if (!('render' in template)) throw new Error(template.map(({ message }) => message).join())
  return template
}

describe('a template in slots', () => {
  test('gives the very text that Liquid gives for the whole, or lacks the same variable', () => {
    fc.assert(
      fc.property(source, vars, fc.constantFrom<Flavour>('plain', 'html'), fc.constantFrom('empty', 'refuse'), (text, given, flavour, missing) => {
        const parsed = parse(text, flavour)
        if ('errors' in parsed) throw new Error(parsed.errors.join())
        // NOTE `increment` writes into the scope: each rendering gets its own.
        const scope = () => scopeOf({ address: 'taro@example.jp', vars: given as Record<string, never> })
        const mode = { now: NOW, missing } as const
        expect(compile(text, flavour).render(scope(), mode)).toEqual(renderNodes(parsed.nodes, scope(), mode))
      }),
      { numRuns: 2_000 },
    )
  })

  test('has an expression once, however often it stands', () => {
    const { texts, order, slots, uses } = compile('{{ name }}様、{{ id }} {{ name }}', 'plain')
    expect({ texts, order, slots: slots.length, uses }).toEqual({ texts: ['', '様、', ' ', ''], order: [0, 1, 0], slots: 2, uses: [2, 1] })
  })

  test('keeps blocks as slots of their own, unless one leaves something behind for the next', () => {
    expect(compile('a{% if x %}b{% endif %}c{{ d }}', 'plain').order).toEqual([0, 1])
    const whole = compile('a{% assign d = 1 %}c{{ d }}', 'plain')
    expect({ texts: whole.texts, order: whole.order }).toEqual({ texts: ['', ''], order: [0] })
  })

  test('stops at the size of a mail, however the text came to be so long', () => {
    const v = 'x'.repeat(9_000)
    expect(compile('{{ v }}'.repeat(3_000), 'plain').render({ v }, { now: NOW, missing: 'refuse' })).toEqual({
      kind: 'broken',
      message: 'renders to more than 25000000 characters',
    })
  })
})
