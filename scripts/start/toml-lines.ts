/**
 * Which line of a TOML text defines what: a parser gives values without positions, and a person wants the line of the typo.
 *
 * Reads only text that a TOML parser has accepted already, so it looks for headers and keys and skips over values.
 */

/** The line (from 1) that defines `path` (`['ip', 0, 'pool']`), or that of the nearest thing around it; null for an empty text. */
export type LineOf = (path: readonly PropertyKey[]) => number | null

export function tomlLines(text: string): LineOf {
  const lines = new Map<string, number>()
  const counts = new Map<string, number>() // array of tables → how many there were
  let table: readonly (string | number)[] = []
  const note = (path: readonly (string | number)[], line: number) => {
    for (let length = 1; length <= path.length; length++) {
      const name = pathName(path.slice(0, length))
      if (!lines.has(name)) lines.set(name, line)
    }
  }
  for (const { text: statement, line } of statements(text)) {
    const header = /^\[(\[?)\s*(.+?)\s*\]?\]\s*(#.*)?$/s.exec(statement)
    if (header === null) {
      note([...table, ...keyParts(statement)], line)
      continue
    }
    const parts = withIndexes(keyParts(`${header[2]} =`), counts, header[1] === '[')
    table = parts
    note(table, line)
  }
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(pathName(path.slice(0, length)))
      if (line !== undefined) return line
    }
    return text === '' ? null : 1
  }
}

function pathName(path: readonly PropertyKey[]): string {
  return JSON.stringify(path)
}

/** `[[ip]]` opens the next element; `[ip.x]` below it belongs to the last one. */
function withIndexes(parts: readonly string[], counts: Map<string, number>, opens: boolean): (string | number)[] {
  const path: (string | number)[] = []
  for (const [at, part] of parts.entries()) {
    path.push(part)
    const name = pathName(path)
    if (opens && at === parts.length - 1) counts.set(name, (counts.get(name) ?? 0) + 1)
    const count = counts.get(name)
    if (count !== undefined) path.push(count - 1)
  }
  return path
}

/** `a."b.c".d = …` → `['a', 'b.c', 'd']`. */
function keyParts(statement: string): string[] {
  const parts: string[] = []
  const form = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*([.=])/y
  for (;;) {
    const found = form.exec(statement)
    if (found === null) return parts
    parts.push(found[1] ?? found[2] ?? (found[3] as string))
    if (found[4] === '=') return parts
  }
}

/** Statements with the line they begin on: a value's brackets and strings may go over several lines. */
function* statements(text: string): Generator<{ text: string; line: number }> {
  let line = 1
  let beganAt = 1
  let current = ''
  let depth = 0
  for (let at = 0; at < text.length; ) {
    const quoted = /'''[\s\S]*?'{3,5}|"""(?:[^\\]|\\[\s\S])*?"{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y
    quoted.lastIndex = at
    const string = quoted.exec(text)?.[0]
    const char = text[at] as string
    if (char === '#' && string === undefined) {
      while (at < text.length && text[at] !== '\n') at++
      continue
    }
    const piece = string ?? char
    if (char === '\n' && depth === 0) {
      if (current.trim() !== '') yield { text: current.trim(), line: beganAt }
      current = ''
    } else {
      if (current.trim() === '') beganAt = line
      current += piece
      // A header's own brackets close on the same line, so they leave the depth as it was.
      if (string === undefined && (char === '[' || char === '{')) depth++
      if (string === undefined && (char === ']' || char === '}')) depth--
    }
    line += piece.split('\n').length - 1
    at += piece.length
  }
  if (current.trim() !== '') yield { text: current.trim(), line: beganAt }
}
