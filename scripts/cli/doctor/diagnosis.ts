/** What `hato doctor` says: chapters of lines, each a finding about one thing. */
export type Verdict = 'good' | 'note' | 'warning' | 'bad' | 'unknown'

export interface Diagnosis {
  readonly verdict: Verdict
  readonly says: string
  /** what to do about it, or more of what was found; a line each */
  readonly more?: readonly string[]
  readonly publish?: { readonly name: string; readonly type: string; readonly text: string }
}

export interface Chapter {
  readonly title: string
  readonly lines: readonly Diagnosis[]
}

export const good = (says: string, more?: readonly string[]): Diagnosis => line('good', says, more)
export const note = (says: string, more?: readonly string[]): Diagnosis => line('note', says, more)
export const warning = (says: string, more?: readonly string[]): Diagnosis => line('warning', says, more)
export const bad = (says: string, more?: readonly string[]): Diagnosis => line('bad', says, more)
export const unknown = (says: string, more?: readonly string[]): Diagnosis => line('unknown', says, more)

function line(verdict: Verdict, says: string, more?: readonly string[]): Diagnosis {
  return { verdict, says, ...(more && more.length > 0 && { more }) }
}

/** The first few, then a count: a broken fleet must not bury the rest. */
export function firstOf<T>(all: readonly T[], most: number, show: (one: T) => string): string[] {
  const shown = all.slice(0, most).map(show)
  return all.length > most ? [...shown, `and ${all.length - most} more`] : shown
}
