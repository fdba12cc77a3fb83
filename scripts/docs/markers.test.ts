import { describe, expect, test } from 'vitest'
import { fill } from './markers.ts'

const blocks = { a: () => 'new', 'config:b': () => '| x |' }

describe('generated parts of a page', () => {
  test('are made anew, the rest stays', () => {
    const page = '# t\n<!-- generated:a -->\nold\nold\n<!-- /generated -->\nkept\n<!-- generated:config:b -->\n<!-- /generated -->\n'
    const filled = '# t\n<!-- generated:a -->\nnew\n<!-- /generated -->\nkept\n<!-- generated:config:b -->\n| x |\n<!-- /generated -->\n'
    expect(fill(page, blocks)).toBe(filled)
    expect(fill(filled, blocks)).toBe(filled)
  })

  test.each([
    ['a name that nobody generates', '<!-- generated:c -->\n<!-- /generated -->', /nothing generates "c"/],
    ['a part without an end', '<!-- generated:a -->\nold\n', /no `<!-- \/generated -->`/],
    ['a misspelt name', '<!-- generated:A! -->\n<!-- /generated -->', /misspelt/],
  ])('%s is an error', (_, page, message) => {
    expect(() => fill(page, blocks)).toThrow(message)
  })
})
