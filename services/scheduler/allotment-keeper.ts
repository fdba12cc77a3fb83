/**
 * allotment-keeper: the book of allotments, durable.
 *
 * OWNS       `campaigns` / `allotments`
 * ON CRASH   what was released since the last save (HATO_SAVE_EVERY) is not in the book: a limit may be passed by that much
 */
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { Fleet, FleetTenant } from '../../protocol/fleet.ts'
import { WarmupConfig } from '../../protocol/warmup-config.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { every } from '../runtime/wheel.ts'
import { AllotmentBook, type Kept } from './policy/allotments.ts'
import type { FromPlan } from './policy/from-ramp.ts'
import { watchTenantShares } from './tenant-shares.ts'

export interface AllotmentKeeper extends AsyncDisposable {
  readonly book: AllotmentBook
}

export async function keepAllotments(options: {
  readonly bus: Bus
  readonly bucket: Bucket
  readonly clock: Clock
  readonly log: Log
  readonly fleet: () => Fleet | null
  /** somebody's share of a shared pool changed */
  readonly onShares: () => void
  readonly saveEveryMs: number
}): Promise<AllotmentKeeper> {
  const { bus, bucket, clock, log, fleet, onShares } = options
  const shares = watchTenantShares(bus, onShares)
  await shares.ready
  const kept = await bucket.get(KEYS.allotments)
  const book = new AllotmentBook(
    {
      tenant: tenantOf(fleet),
      share: shares.of,
      fromPlan: planOf(fleet),
    },
    kept === null ? null : decode<Kept>(kept.value),
  )
  let saving: Promise<void> = Promise.resolve()
  const save = async (): Promise<void> => {
    if (!book.changed) return
    try {
      await bucket.put(KEYS.allotments, encode(book.keep(clock.now())))
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      book.changed = true
      log.warn('allotments-unsaved', { because: error.message }) // the next turn tries again
    }
  }
  const turns = every(options.saveEveryMs, () => {
    saving = saving.then(save)
  })
  return {
    book,
    async [Symbol.asyncDispose]() {
      shares[Symbol.dispose]()
      turns[Symbol.dispose]()
      await saving
      await save()
    },
  }
}

/** Both are asked at every batch and read once a document. */
function tenantOf(fleet: () => Fleet | null): (name: string) => FleetTenant | undefined {
  return oncePerDocument(
    fleet,
    (document) => new Map(document?.tenant.map((tenant) => [tenant.name, tenant])),
    (tenants, name: string) => tenants.get(name),
  )
}
function planOf(fleet: () => Fleet | null): () => FromPlan {
  return oncePerDocument(
    fleet,
    (document) => {
      const { from_start, from_factor } = WarmupConfig.parse(document?.warmup ?? {})
      return { start: document === null ? 0 : from_start, factor: from_factor }
    },
    (plan) => plan,
  )
}

function oncePerDocument<R, A extends readonly unknown[], T>(
  fleet: () => Fleet | null,
  read: (document: Fleet | null) => R,
  answer: (reading: R, ...asked: A) => T,
): (...asked: A) => T {
  let of = fleet()
  let reading = read(of)
  return (...asked) => {
    const now = fleet()
    if (now !== of) {
      of = now
      reading = read(now)
    }
    return answer(reading, ...asked)
  }
}
