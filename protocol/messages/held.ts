import { z } from 'zod'

/** `suppression.<tenant>`, beside the list itself: unknown users of a site that was not believed (delivery.md §8). Without `site`: of all sites. */
export const HeldAsk = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('held') }),
  z.strictObject({ action: z.literal('confirm'), site: z.string().max(100).optional(), addresses: z.array(z.string().max(320)).min(1).max(500).optional() }),
  z.strictObject({ action: z.literal('drop'), site: z.string().max(100).optional(), addresses: z.array(z.string().max(320)).min(1).max(500).optional() }),
])
export type HeldAsk = z.infer<typeof HeldAsk>

/** The answer to `held`. */
export interface HeldPage {
  readonly total: number
  readonly sites: readonly {
    readonly site: string
    readonly count: number
    /** when the first of them was heard */
    readonly since: string
    /** what the site said, a sample */
    readonly reply: string
    /** since when the site's verdicts are held; null = it is itself again, new ones are believed */
    readonly brakeSince: string | null
  }[]
}

/** The answer to `confirm` (entries written) and `drop` (verdicts forgotten). */
export interface HeldDecided {
  readonly ok: true
  readonly decided: number
}
