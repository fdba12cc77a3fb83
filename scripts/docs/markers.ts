/** Generated parts of a page: `<!-- generated:NAME -->` … `<!-- /generated -->`. What stands between the marks is written by `npm run docs`. */

const PART = /<!-- generated:([a-z0-9:-]+) -->\n[\s\S]*?<!-- \/generated -->/g
const OPENING = /<!-- generated:/g

export type Blocks = Readonly<Record<string, () => string>>

/** The page with every generated part made anew. Throws on a name that nobody generates and on a part without its end. */
export function fill(page: string, blocks: Blocks): string {
  const parts = [...page.matchAll(PART)]
  if (parts.length !== (page.match(OPENING)?.length ?? 0)) throw new Error('a generated part has no `<!-- /generated -->`, or its name is misspelt')
  return page.replace(PART, (_, name: string) => {
    const block = blocks[name]
    if (block === undefined) throw new Error(`nothing generates "${name}"; there is ${Object.keys(blocks).join(', ')}`)
    return `<!-- generated:${name} -->\n${block()}\n<!-- /generated -->`
  })
}

export function hasParts(page: string): boolean {
  return page.includes('<!-- generated:')
}
