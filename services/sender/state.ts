import { rfc3339 } from '../../protocol/duration.ts'
import { bitsOf, hasBit, maskOf, type Mask } from '../../protocol/mask.ts'
import type { Batch, HeldOrder, Order } from '../../protocol/messages/mail.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { type Next, nextTry, type RetryPolicy, type Stick } from '../../protocol/retry.ts'
import type { EpochMs, ReplyClass } from '../../protocol/words.ts'
import type { Pace } from './pace.ts'

/**
 * The work on one claimed order: who of the batch is still to be tried, and what became of the others. Pure; the shell does the SMTP.
 *
 * A recipient is, for this order, always in exactly one state:
 *   open      waits for its turn
 *   taken     is in a transaction
 *   resting   told: has an outcome of this attempt, final or deferred with the next try that follows from it;
 *             later: is not due yet, and rolls into the next order untouched
 */
export type RestingState =
  | { readonly kind: 'later'; readonly notBefore: EpochMs }
  | { readonly kind: 'told'; readonly final: true }
  | {
      readonly kind: 'told'
      readonly final: false
      readonly notBefore: EpochMs
      readonly charged: boolean
      readonly refused: boolean
      readonly stick: Stick | null
      readonly class: ReplyClass
    }

export interface Work {
  readonly held: HeldOrder
  /** the batch's sequence in MAIL */
  readonly batchSeq: number
  readonly batch: Batch
  /** the claim's sequence in OUTCOMES: every outcome expects it */
  readonly claimSeq: number
  /** recipients an earlier holder may have sent to (S2) */
  readonly maybe: Mask
  /** INVARIANT: each recipient of the order stands in exactly one of the three. */
  readonly open: Set<number>
  readonly taken: Set<number>
  readonly resting: Map<number, RestingState>
  readonly charged: ReadonlyMap<number, number>
  readonly refusals: ReadonlyMap<number, number>
  /** outcomes told and not yet durable */
  unconfirmed: number
  /** spaces this order's mails where the campaign has a `rate` */
  readonly ratePace: Pace | null
  /** a later claim holds the batch: nothing more is said about it */
  lost: boolean
  /** nobody is tried any more under this order, since … */
  letGo: LetGo | null
}

/** Recipients of one batch come due a few seconds apart: one order serves who is due within 5 s of the first, when the last of them is. Nobody is tried
 *  before their time, since a greylist that is asked too early begins anew. */
const DUE_TOGETHER_MS = 5_000

export interface Opening {
  readonly held: HeldOrder
  readonly batchSeq: number
  readonly batch: Batch
  readonly claimSeq: number
  readonly maybe: Mask
  /** outcomes of this attempt that an earlier holder made durable */
  readonly prior: readonly Outcome[]
  readonly now: EpochMs
  readonly dice: () => number
  readonly policy: RetryPolicy
  readonly ratePace: Work['ratePace']
}

export function openWork({ held, batchSeq, batch, claimSeq, maybe, prior, now, dice, policy, ratePace }: Opening): Work {
  const ns = bitsOf(held.order.mask).filter((n) => n < batch.recipients.length)
  const work: Work = {
    held,
    batchSeq,
    batch,
    claimSeq,
    maybe,
    open: new Set(),
    taken: new Set(),
    resting: new Map(),
    charged: new Map(ns.map((n, at) => [n, held.order.charged?.[at] ?? 0])),
    refusals: new Map(ns.map((n, at) => [n, held.order.refusals?.[at] ?? 0])),
    unconfirmed: 0,
    ratePace,
    lost: false,
    letGo: null,
  }
  for (const [at, n] of ns.entries()) {
    const notBefore = dueLater(held.order.notBefore?.[at], now)
    if (notBefore === null) work.open.add(n)
    else work.resting.set(n, { kind: 'later', notBefore })
  }
  for (const outcome of prior) {
    const { n } = outcome
    if (!work.open.has(n) && !work.resting.has(n)) continue
    if (outcome.outcome !== 'deferred') settle(work, n, { kind: 'told', final: true })
    else {
      const next = planNext(work, outcome, { retryAfterMs: null, now, dice, policy })
      // What its first holder deferred and time has since ended is open again: its turn then tells `expired`.
      if (next.kind === 'retry') settle(work, n, deferredState(outcome, next))
      else {
        work.resting.delete(n)
        work.open.add(n)
      }
    }
  }
  return work
}

function settle(work: Work, n: number, state: RestingState): void {
  work.open.delete(n)
  work.taken.delete(n)
  work.resting.set(n, state)
}

/** @returns null for who is due */
function dueLater(notBeforeS: number | undefined, now: EpochMs): EpochMs | null {
  return notBeforeS === undefined || notBeforeS * 1_000 <= now ? null : notBeforeS * 1_000
}

/** The next recipient to try, by preference one that `fits`; it is taken. */
export function take(work: Work, fits: (n: number) => boolean = () => true): number | null {
  let chosen: number | null = null
  for (const n of work.open) {
    chosen ??= n
    if (!fits(n)) continue
    chosen = n
    break
  }
  if (chosen === null) return null
  work.open.delete(chosen)
  work.taken.add(chosen)
  return chosen
}

/** A taken recipient whose transaction never began goes back. */
export function giveBack(work: Work, n: number): void {
  if (work.taken.delete(n)) work.open.add(n)
}

export interface Telling {
  readonly retryAfterMs: number | null
  readonly now: EpochMs
  readonly dice: () => number
  readonly policy: RetryPolicy
}

/** A verdict becomes the recipient's outcome: a deferral whose tries or time are over is told as what ends it. The caller journals what is returned. */
export function tell(work: Work, verdict: Outcome, telling: Telling): Outcome {
  let outcome = hasBit(work.maybe, verdict.n) ? { ...verdict, mayBeDuplicate: true } : verdict
  if (outcome.outcome === 'deferred') {
    const next = planNext(work, outcome, telling)
    if (next.kind === 'retry') {
      settle(work, outcome.n, deferredState(outcome, next))
      return { ...outcome, until: rfc3339(next.notBefore) }
    }
    outcome = { ...outcome, outcome: next.outcome, class: next.class }
  }
  settle(work, outcome.n, { kind: 'told', final: true })
  return outcome
}

function planNext(work: Work, outcome: Outcome, { retryAfterMs, now, dice, policy }: Telling): Next {
  const { order } = work.held
  return nextTry({
    attempt: order.attempt,
    chargedTries: work.charged.get(outcome.n) ?? 0,
    refusals: work.refusals.get(outcome.n) ?? 0,
    permanent: (outcome.code ?? 0) >= 500,
    class: outcome.class,
    blames: outcome.blames,
    kind: order.kind,
    lane: order.lane,
    ip: outcome.ip,
    stick: order.stick ?? null,
    retryAfterMs,
    expiresAt: order.deadline,
    now,
    dice,
    policy,
  })
}

function deferredState(outcome: Outcome, next: Extract<Next, { kind: 'retry' }>): RestingState {
  return {
    kind: 'told',
    final: false,
    notBefore: next.notBefore,
    charged: next.charged,
    refused: (outcome.code ?? 0) >= 500,
    stick: next.stick,
    class: outcome.class,
  }
}

/** Why an order ends before everybody in it was tried, and when it may come back. */
export interface LetGo {
  readonly because: ReplyClass
  readonly notBefore: EpochMs
}

export type Ending =
  /** everybody in the batch has a final outcome: the batch itself can go */
  | { readonly kind: 'settled' }
  /** the batch's one retry order, due at `at` */
  | { readonly kind: 'later'; readonly order: Order; readonly at: EpochMs }

/** What follows when no recipient is taken any more: the one retry order, or nothing. Recipients still open come back at `letGo.notBefore`, uncharged. */
export function endOf(work: Work, letGo: LetGo): Ending {
  const rows: { n: number; notBefore: EpochMs; charged: number; refusals: number }[] = []
  let stick: Stick | null = null
  let because: ReplyClass | null = null
  const triesOf = (n: number) => ({ n, charged: work.charged.get(n) ?? 0, refusals: work.refusals.get(n) ?? 0 })
  let wasAsked = false
  for (const n of [...work.open, ...work.taken]) {
    rows.push({ ...triesOf(n), notBefore: letGo.notBefore })
    because ??= letGo.because
  }
  for (const [n, state] of work.resting) {
    const { charged, refusals } = triesOf(n)
    if (state.kind === 'later') rows.push({ n, notBefore: state.notBefore, charged, refusals })
    else if (!state.final) {
      rows.push({ n, notBefore: state.notBefore, charged: charged + (state.charged ? 1 : 0), refusals: refusals + (state.refused ? 1 : 0) })
      if (state.stick && (stick === null || state.stick.hardUntil > stick.hardUntil)) stick = state.stick
      because = state.class
      wasAsked = true
    }
  }
  if (rows.length === 0) return { kind: 'settled' }

  rows.sort((a, b) => a.n - b.n)
  // Whatever rests, its deadline is looked at in time (S7).
  const at = Math.min(
    work.held.order.deadline,
    dueAt(
      rows.map((row) => row.notBefore),
      work.open.size === 0 ? DUE_TOGETHER_MS : 0,
    ),
  )
  // A new attempt is a new order: it does not inherit the identity under which a copy of this one may still be about.
  const { id: _i, notBefore: _n, charged: _c, refusals: _r, stick: _s, because: _b, maybe: _m, after, ...same } = work.held.order
  const size = work.batch.recipients.length
  const order: Order = {
    ...same,
    batch: work.batchSeq,
    mask: maskOf(
      rows.map((row) => row.n),
      size,
    ),
    count: rows.length,
    attempt: work.held.order.attempt + 1,
    ...(rows.some((row) => row.charged > 0) && { charged: Uint8Array.from(rows, (row) => Math.min(255, row.charged)) }),
    ...(rows.some((row) => row.refusals > 0) && { refusals: Uint8Array.from(rows, (row) => Math.min(255, row.refusals)) }),
    ...(rows.some((row) => row.notBefore > at) && { notBefore: rows.map((row) => Math.ceil(row.notBefore / 1_000)) }),
    ...(stick !== null && { stick }),
    ...(because !== null && { because }),
    ...(after !== undefined && !wasAsked && { after }),
    ...carryMaybe(
      work,
      rows.map((row) => row.n),
      size,
    ),
  }
  return { kind: 'later', order, at }
}

/** When the order of recipients with these times is due. In whole seconds where it has to be told apart who is due with it, as orders name times.
 *  Whoever was not even tried waits for nobody (`togetherMs` 0). */
function dueAt(notBefores: readonly EpochMs[], togetherMs: number): EpochMs {
  const first = Math.min(...notBefores)
  const together = Math.max(...notBefores.filter((notBefore) => notBefore <= first + togetherMs))
  return notBefores.some((notBefore) => notBefore > together) ? Math.ceil(together / 1_000) * 1_000 : together
}

/** Who may have been sent to and still has no final outcome stays flagged on the next order. */
function carryMaybe(work: Work, ns: readonly number[], size: number): { maybe?: Mask } {
  const flagged = ns.filter((n) => hasBit(work.maybe, n))
  return flagged.length > 0 ? { maybe: maskOf(flagged, size) } : {}
}
