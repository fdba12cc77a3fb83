import type { Source } from './row.ts'

/** When each kind of source was read; a row that was read at another time says so itself. */
export const K: Source = 'K 2026-08'
export const KC: Source = 'KC 2026-08'
export const P: Source = 'P 2026-11'
export const S: Source = 'S 2026-11'
export const THIRD: Source = '3 2026-11'
export const A: Source = 'A 2026-11'
