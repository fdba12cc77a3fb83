/** What is measured: a size of body and a kind of signature. Pure. */
/** Ed25519 stands beside an RSA key only: large providers do not verify it alone, and Hato refuses a fleet that would. */
export const DKIMS = ['none', 'rsa-2048', 'rsa-2048 + ed25519'] as const
export type Dkim = (typeof DKIMS)[number]

export interface Cell {
  readonly bodyKb: number
  readonly dkim: Dkim
}

/** Every peer has it, so ratios are taken here. */
export const COMMON: Cell = { bodyKb: 10, dkim: 'none' }

export type Pace = 'quick' | 'full'
export const ROUNDS = 3

const QUICK: readonly Cell[] = [COMMON, { bodyKb: 10, dkim: 'rsa-2048' }]
const FULL: readonly Cell[] = [10, 2, 100].flatMap((bodyKb) => DKIMS.map((dkim) => ({ bodyKb, dkim })))

export const cellsOf = (pace: Pace): readonly Cell[] => (pace === 'quick' ? QUICK : FULL)

export const cellName = ({ bodyKb, dkim }: Cell): string => `${bodyKb} KB, DKIM ${dkim}`

/**
 * How many mails a run has: enough for some seconds at 10 KB (a start-up is not a rate), fewer where each is larger or all are few. Always a multiple
 * of 100.
 */
export function mailsOf(atTenKb: number, { bodyKb }: Cell, pace: Pace): number {
  const forPace = pace === 'quick' ? atTenKb / 3 : atTenKb
  const forSize = bodyKb > 10 ? forPace / 5 : forPace
  return Math.max(100, Math.round(forSize / 100) * 100)
}
