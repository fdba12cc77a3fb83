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
 * Seconds of mails, the same for everybody: `start` after a start (compiled code, open sessions, grown windows), `cell` before a cell's first run
 * counts (its signature, its size), `run` itself, long enough that a campaign's start is a small part of it, as it is of a real one.
 */
export const SECONDS = {
  quick: { start: 2, cell: 1, run: 2.5 },
  full: { start: 5, cell: 2, run: 8 },
} as const satisfies Record<Pace, Record<'start' | 'cell' | 'run', number>>

/**
 * As many mails as a contender of so many a second at 10 KB sends in so many seconds, fewer where each costs more: a large body, or a small one's signature.
 * Always a multiple of 100.
 */
export function mailsOf(perSecond: number, { bodyKb, dkim }: Cell, seconds: number): number {
  const mails = (perSecond * seconds) / (bodyKb > 10 ? 5 : dkim === 'none' ? 1 : 2)
  return Math.max(100, Math.round(mails / 100) * 100)
}
