/** BENCHMARKS.md has two authors, the comparison and the profile; each leaves the other's part as it is. Pure. */

const PROFILE = "## Where a sender's CPU goes"

/** The page with a new comparison. */
export function withComparison(page: string, comparison: string): string {
  return joined(comparison, profileOf(page))
}

/** The page with a new profile; `lines` as a terminal shows them. */
export function withProfile(page: string, command: string, day: string, lines: readonly string[]): string {
  const comparison = page.split(PROFILE)[0] ?? ''
  return joined(comparison, `${PROFILE}\n\n\`${command}\` on ${day}.\n\n\`\`\`text\n${lines.join('\n').trim()}\n\`\`\`\n`)
}

function profileOf(page: string): string {
  const at = page.indexOf(PROFILE)
  return at === -1 ? '' : page.slice(at)
}

const joined = (...parts: readonly string[]): string =>
  `${parts
    .map((part) => part.trim())
    .filter(Boolean)
    .join('\n\n')}\n`
