/** Reading what was typed: each throws Failure 'usage' that names the thing and the value. */
import { parseDuration } from '../../protocol/duration.ts'
import { type CampaignKey, ID_PATTERN, parseCampaignName } from '../../protocol/ids.ts'
import type { Asked } from './command.ts'
import { Failure } from './failure.ts'
import type { OptionName } from './options.ts'

export function campaignOf(text: string): CampaignKey {
  const key = parseCampaignName(text)
  if (key === null) throw new Failure('usage', `"${text}" is not TENANT/ID such as acme/spring-2026 (each 1 to 64 of A-Z a-z 0-9 _ -)`)
  return key
}

export function tenantOf(text: string): string {
  if (!ID_PATTERN.test(text)) throw new Failure('usage', `"${text}" is not a tenant's name (1 to 64 of A-Z a-z 0-9 _ -)`)
  return text
}

/** A request subject ends in it, so nothing may stand in it that a subject cannot hold. */
export function lastTokenOf(text: string, what: string): string {
  if (text === '' || /[\s*>]/.test(text) || text.startsWith('.') || text.endsWith('.') || text.includes('..'))
    throw new Failure('usage', `"${text}" is not ${what}`)
  return text
}

/** As it was typed, checked; undefined when it was not given. */
export function durationOf(asked: Asked, name: OptionName): string | undefined {
  const text = asked.values.get(name)
  if (text !== undefined && parseDuration(text) === null)
    throw new Failure('usage', `--${name} is "${text}", which is not a duration such as 30s, 10m, 24h or 7d`)
  return text
}

export function numberOf(asked: Asked, name: OptionName, bounds: { readonly whole: boolean; readonly min: number; readonly max: number }): number | undefined {
  const text = asked.values.get(name)
  if (text === undefined) return undefined
  const value = Number(text.replaceAll('_', ''))
  const good = text.trim() !== '' && Number.isFinite(value) && value >= bounds.min && value <= bounds.max && (!bounds.whole || Number.isInteger(value))
  if (!good) throw new Failure('usage', `--${name} is "${text}", which is not a ${bounds.whole ? 'whole ' : ''}number from ${bounds.min} to ${bounds.max}`)
  return value
}

/** The given options under the contract's names, absent ones left out. */
export function given<T extends Record<string, unknown>>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
