/**
 * Which DKIM keys sign: those that DNS shows (delivery.md §10). What DNS does not answer changes nothing, and a key is dropped only when DNS denied it
 * twice, the second time after the first answer's own validity: a name server in the middle of a zone transfer says "no such name" too.
 */
import { goneOf, type MissingKey, type MissingKeys } from '../../../protocol/messages/dkim-keys.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import { chooseKeys, chooseShownKeys, type DkimKey, type KeyQuestion, keyId, keyName } from '../../content/dkim-keys.ts'
import type { Sight } from '../../content/preflight/dkim.ts'

/** What DNS said, and how long the answer may be believed. */
export type Seen = Sight & { readonly ttlMs: number }

export interface LookTimes {
  /** between two looks at a key that is shown */
  readonly everyMs: number
  /** the least between two looks at one that is not, or of which DNS said nothing */
  readonly againMs: number
}

/** A denial that nobody followed up for so long was of another day: it is not the first of two any more. */
const STALE_MS = 3_600_000

/** The same object when nothing changed. */
export function see(missing: MissingKeys, id: string, seen: Seen, now: EpochMs, { againMs }: LookTimes): MissingKeys {
  const before = missing[id]
  switch (seen.kind) {
    case 'unknown':
      return missing
    case 'shown':
      return before === undefined ? missing : without(missing, id)
    case 'absent': {
      const first: MissingKey = { because: seen.because, since: now, againFrom: now + Math.max(againMs, seen.ttlMs), gone: false }
      if (before === undefined || (!before.gone && now > before.againFrom + STALE_MS)) return { ...missing, [id]: first }
      if (before.gone || now < before.againFrom) return missing
      return { ...missing, [id]: { ...before, because: seen.because, gone: true } }
    }
  }
}

/** When to ask DNS for the key again. Never within an answer's validity: it would be the same answer. */
export function lookAgainAfterMs({ kind, ttlMs }: Seen, { everyMs, againMs }: LookTimes): number {
  switch (kind) {
    case 'shown':
      return everyMs
    case 'unknown':
      return againMs
    case 'absent':
      return Math.max(againMs, ttlMs)
  }
}

/** Of keys that the fleet knows no more nothing is remembered. */
export function onlyOf(missing: MissingKeys, keys: readonly DkimKey[]): MissingKeys {
  const known = new Set(keys.map(keyId))
  const left = Object.entries(missing).filter(([id]) => known.has(id))
  return left.length === Object.keys(missing).length ? missing : Object.fromEntries(left)
}

/** Why nothing may be signed for this From, for a person; null = something may, or the fleet has no RSA key for it anyway, which preflight tells. */
export function whyUnsigned(keys: readonly DkimKey[], question: KeyQuestion, missing: MissingKeys): string | null {
  const gone = goneOf(missing)
  if (gone.size === 0) return null
  const wanted = chooseKeys(keys, question).find(({ algorithm }) => algorithm === 'rsa-sha256')
  if (wanted === undefined || chooseShownKeys(keys, question, gone).length > 0) return null
  const name = keyName(wanted)
  const because = missing[keyId(wanted)]?.because
  return `DNS shows no RSA key that signs for ${question.fromDomain} (${name}: ${because}); publish ${name} TXT ${wanted.dnsRecord}, then it goes on by itself`
}

function without(missing: MissingKeys, id: string): MissingKeys {
  const { [id]: _, ...rest } = missing
  return rest
}
