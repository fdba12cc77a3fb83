import type { Campaign } from '../../../protocol/campaign.ts'
import type { EpochMs } from '../../../protocol/words.ts'

/** A campaign's daily hours: open until …, or closed until …. Summer time is the zone's business: wall clock times are looked up, not added. */
export type Hours = { readonly kind: 'open'; readonly until: EpochMs | null } | { readonly kind: 'closed'; readonly until: EpochMs }

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

export function hoursOf(window: Campaign['window'] | null, now: EpochMs): Hours {
  if (!window) return { kind: 'open', until: null }
  const from = minutes(window.from)
  const to = minutes(window.to)
  if (from === to) return { kind: 'open', until: null }
  const at = minutesAt(now, window.tz)
  const inside = from < to ? at >= from && at < to : at >= from || at < to
  return inside ? { kind: 'open', until: nextAt(now, to, window.tz) } : { kind: 'closed', until: nextAt(now, from, window.tz) }
}

/** Is this a zone the runtime knows? */
export function isZone(tz: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: tz })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function minutes(clock: string): number {
  const [hours = 0, mins = 0] = clock.split(':').map(Number)
  return hours * 60 + mins
}

function minutesAt(at: EpochMs, tz: string): number {
  return minutes(new Intl.DateTimeFormat('en-GB', { timeZone: tz, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at))
}

/** The next moment at which the zone's wall clock shows this minute of the day. A minute that summer time skips is taken at the jump. */
function nextAt(now: EpochMs, minute: number, tz: string): EpochMs {
  const whole = now - (now % MINUTE_MS)
  let at = whole + ((minute - minutesAt(now, tz) + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES) * MINUTE_MS
  const off = ((minutesAt(at, tz) - minute + DAY_MINUTES + DAY_MINUTES / 2) % DAY_MINUTES) - DAY_MINUTES / 2
  at -= off * MINUTE_MS
  return at > now ? at : at + DAY_MINUTES * MINUTE_MS
}
