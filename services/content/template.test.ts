import fc from 'fast-check'
import { Liquid } from 'liquidjs'
import { describe, expect, test, vi } from 'vitest'
import type { Content } from '../../protocol/campaign.ts'
import { checkTemplates, compileContent, compileTemplate, missingVariables, scopeOf, type Template } from './template.ts'

const NOON = Date.UTC(2026, 11, 1, 12)

function compile(source: string, flavour: 'plain' | 'html' = 'plain'): Template {
  const template = compileTemplate('text', source, flavour)
  if (!('render' in template)) throw new Error(template.map((problem) => problem.message).join())
  return template
}

function render(source: string, vars: Record<string, unknown> = {}, flavour: 'plain' | 'html' = 'plain', missing: 'empty' | 'refuse' = 'refuse') {
  const rendering = compile(source, flavour).render(vars, { now: NOON, missing })
  return rendering.kind === 'text' ? rendering.text : rendering
}

function problems(source: string): string[] {
  const template = compileTemplate('text', source, 'plain')
  return 'render' in template ? [] : template.map((problem) => problem.message)
}

const content = (over: Partial<Content>): Content => ({ from: { address: 'news@acme.example' }, subject: 's', text: 't', ...over })

describe('a template', () => {
  test('fills in variables, loops and conditions', () => {
    expect(render('{{ name }}様{% for item in cart %} {{ item.title }}{% endfor %}', { name: '太郎', cart: [{ title: '本' }, { title: '鳩' }] })).toBe(
      '太郎様 本 鳩',
    )
  })

  test('escapes variables in html and nowhere else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(render('{{ v }}', { v: value })).toBe(value)
        expect(render('{{ v }}', { v: value }, 'html')).not.toMatch(/[<>"']/)
      }),
    )
    expect(render('<p>{{ v }}</p>', { v: '<script>&"' }, 'html')).toBe('<p>&lt;script&gt;&amp;&#34;</p>')
    expect(render('<p>{{ v | raw }}</p>', { v: '<b>' }, 'html')).toBe('<p><b></p>')
  })

  test('says which variable a recipient lacks, unless the template asks for it or lack means empty', () => {
    expect(render('{{ name }}様')).toEqual({ kind: 'missing', variable: 'name' })
    expect(render('{{ order.id }}', { order: {} })).toEqual({ kind: 'missing', variable: 'order.id' })
    expect(render('{{ name }}様', {}, 'plain', 'empty')).toBe('様')
    expect(render("{{ name | default: 'お客' }}様")).toBe('お客様')
    expect(render('{% if vip %}VIP{% else %}-{% endif %}')).toBe('-')
  })

  test('sees nothing of JavaScript behind a variable', () => {
    expect(render('{{ v.constructor }}{{ v.__proto__ }}', { v: {} }, 'plain', 'empty')).toBe('')
  })

  test('knows no clock but the one it is given and no time zone of the machine', () => {
    expect(render("{{ 'now' | date: '%Y-%m-%d %H:%M' }}")).toBe('2026-12-01 12:00')
    expect(render("{{ 'now' | date: '%Y-%m-%d %H:%M', 'Asia/Tokyo' }}")).toBe('2026-12-01 21:00')
    expect(render("{% assign t = 'today' %}{{ t | date_to_xmlschema }}")).toBe('2026-12-01T12:00:00+00:00')
    expect(render("{{ '2026-12-01 09:00' | date: '%H:%M' }} {{ '2026-12-01T09:00:00+09:00' | date: '%H:%M %z' }}")).toBe('09:00 09:00 +0900')
    const zone = process.env.TZ
    process.env.TZ = 'Asia/Tokyo'
    try {
      expect(render("{{ '2026-12-01 09:00' | date: '%H:%M %z' }} {{ 1764590400 | date: '%H:%M' }} {{ '2026-12-01' | date: '%d' }}")).toBe(
        '09:00 +0000 12:00 01',
      )
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  test.each([
    '{% for i in (1..1000000000) %}x{% endfor %}',
    '{% for i in (1..3000) %}{% for j in (1..3000) %}x{% endfor %}{% endfor %}',
    '{% assign a = "xxxxxxxxxx" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}',
  ])('is stopped before it eats time or memory: %s', (source) => {
    const before = performance.now()
    const rendering = render(source)
    expect(rendering).toMatchObject({ kind: 'broken', message: expect.stringContaining('limit exceeded') })
    expect(performance.now() - before).toBeLessThan(5_000)
  })

  test.each([
    ['{{ a | sample }}', 'never changes between attempts'],
    ['{{ a | shuffle }}', 'never changes between attempts'],
    ['{% include "footer" %}', 'stands alone'],
    ['{% render "footer" %}', 'stands alone'],
    ['{% layout "base" %}', 'stands alone'],
    ['{{ a | nosuch }}', 'undefined filter: nosuch'],
    ['{{ a', 'not closed'],
    ['{% if a %}', 'not closed'],
  ])('%s is refused: %s', (source, why) => {
    expect(problems(source)).toEqual([expect.stringContaining(why)])
  })

  test('lists all its problems, with line and column', () => {
    expect(problems('{{ a | nosuch }}\n{% frob %}')).toEqual(['undefined filter: nosuch, line:1, col:1', 'tag "frob" not found, line:2, col:1'])
  })

  test('is compiled without a list of its variables: Liquid needs seconds for that of a long one', () => {
    using lists = vi.spyOn(Liquid.prototype, 'globalFullVariablesSync')
    const template = compile('{{ name }} '.repeat(100))
    expect(lists).not.toHaveBeenCalled()
    expect(template.variables()).toEqual(['name'])
    expect(lists).toHaveBeenCalledOnce()
  })

  test('names its variables', () => {
    expect(compile('{{ order.id }}{% for x in items %}{{ x.y }}{{ z }}{% endfor %}').variables()).toEqual(['order.id', 'items', 'z'])
  })
})

describe('a content', () => {
  test('reports the problems of every place under its path', () => {
    const found = checkTemplates(content({ subject: '{{ a', html: '{{ b | nosuch }}', headers: { 'X-A': '{% x %}' }, unsubscribe: { url: 'https://a/{{ t' } }))
    expect(found.map((problem) => problem.path)).toEqual(['subject', 'html', 'headers.X-A', 'unsubscribe.url'])
    expect(checkTemplates(content({}))).toEqual([])
  })

  test('sees the recipient under its vars, and a null as missing', () => {
    expect(scopeOf({ address: 'a@b.jp', name: '山田 太郎', vars: { name: '太郎', age: null } })).toEqual({ address: 'a@b.jp', name: '太郎' })
    const { templates } = compileContent(content({ subject: '{{ name }} {{ age }}', text: '{{ city }}' }))
    expect(missingVariables(templates, { address: 'a@b.jp', name: '太郎', vars: { age: null } })).toEqual([
      { path: 'subject', message: 'names {{ age }}, which the recipient does not have' },
      { path: 'text', message: 'names {{ city }}, which the recipient does not have' },
    ])
  })
})
