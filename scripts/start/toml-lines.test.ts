import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { tomlLines } from './toml-lines.ts'

const TEXT = `# a comment with [brackets] and = signs
title = "x # not a comment"

[network]
dns = [
  "127.0.0.1:53", # ]
  "127.0.0.2:53",
]
smtp_port = 25

[[ip]]
address = "127.0.1.1"
note = """
[[ip]]
pool = "text"
"""
pool = "a"

[[ip]]
address = '127.0.1.2'
pool = "b"
limits.hourly = { start = 5,
  max = 7 }

[retry."mailbox-full"]
first = "2s"
`

describe('the line of a path', () => {
  const lineOf = tomlLines(TEXT)

  test.each([
    [['title'], 2],
    [['network'], 4],
    [['network', 'dns'], 5],
    [['network', 'dns', 1], 5], // the nearest thing that has a line
    [['network', 'smtp_port'], 9],
    [['ip', 0], 11],
    [['ip', 0, 'address'], 12],
    [['ip', 0, 'note'], 13],
    [['ip', 0, 'pool'], 17],
    [['ip', 1, 'address'], 20],
    [['ip', 1, 'pool'], 21],
    [['ip', 1, 'limits', 'hourly'], 22],
    [['retry', 'mailbox-full', 'first'], 26],
    [['nowhere'], 1],
  ])('%j is on line %i', (path, line) => {
    expect(lineOf(path)).toBe(line)
  })

  test('the text is one that a TOML parser takes', () => {
    expect((parse(TEXT).ip as unknown[]).length).toBe(2)
  })
})
