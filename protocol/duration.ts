import { z } from 'zod'

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `30s 10m 24h 7d` → milliseconds; null when it is not a duration. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (!match) return null
  return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS])
}

/** Milliseconds → the shortest exact duration, largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= UNIT_MS[unit] && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`
  }
  return `${ms}ms`
}

/** A duration as written in campaigns and fleet files; parsed to milliseconds. */
export const Duration = z.string().transform((text, ctx) => {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  ctx.addIssue({ code: 'custom', message: `"${text}" is not a duration such as 30s, 10m, 24h or 7d` })
  return z.NEVER
})

/** RFC 3339 UTC with milliseconds, as every time on the wire. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
