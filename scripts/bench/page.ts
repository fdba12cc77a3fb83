/** BENCHMARKS.md has three authors, the comparison, the trials and the profile; each leaves the others' parts as they are. Pure. */

const TRIALS = '## Where a rate is not the question'
const PROFILE = "## Where a sender's CPU goes"
const ORDER = [TRIALS, PROFILE] as const

/** The page with a new comparison. */
export function withComparison(page: string, comparison: string): string {
  return joined(comparison, ...ORDER.map((title) => section(page, title)))
}

/** The page with new trials. */
export function withTrials(page: string, trials: string): string {
  return joined(head(page), `${TRIALS}\n\n${trials}`, section(page, PROFILE))
}

/** The page with a new profile; `lines` as a terminal shows them. */
export function withProfile(page: string, command: string, day: string, lines: readonly string[]): string {
  const profile = `${PROFILE}\n\n\`${command}\` on ${day}.\n\n\`\`\`text\n${lines.join('\n').trim()}\n\`\`\`\n`
  return joined(head(page), section(page, TRIALS), profile)
}

function head(page: string): string {
  const ends = ORDER.map((title) => page.indexOf(title)).filter((at) => at >= 0)
  return ends.length === 0 ? page : page.slice(0, Math.min(...ends))
}

function section(page: string, title: string): string {
  const at = page.indexOf(title)
  if (at < 0) return ''
  const next = ORDER.map((other) => page.indexOf(other)).filter((other) => other > at)
  return next.length === 0 ? page.slice(at) : page.slice(at, Math.min(...next))
}

const joined = (...parts: readonly string[]): string =>
  `${parts
    .map((part) => part.trim())
    .filter(Boolean)
    .join('\n\n')}\n`
