/**
 * shares-keeper: what the scheduler reads of tenants' shares.
 *
 * OWNS       `reputation` / `tenant-shares` while its reign lasts
 * INVARIANT  written by compare-and-set from the revision that the last write left: of two owners the newer one's word stands
 * ON CRASH   the shares themselves are in the memory; a new owner writes them again
 */
import { KEYS } from '../../protocol/buckets.ts'
import { encodeJson } from '../../protocol/codec.ts'
import type { TenantShares } from '../../protocol/messages/permission.ts'
import { Infrastructure, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'

export interface SharesKeeper extends AsyncDisposable {
  /** writes when it differs from what stands there */
  tell(shares: TenantShares): void
}

export async function keepShares(options: { readonly bucket: Bucket; readonly log: Log; readonly mayWrite: () => boolean }): Promise<SharesKeeper> {
  const { bucket, log, mayWrite } = options
  const standing = await bucket.get(KEYS.tenantShares)
  let revision = standing?.revision ?? null
  let written = standing === null ? '' : new TextDecoder().decode(standing.value)
  let wanted: TenantShares | null = null
  let writing: Promise<void> = Promise.resolve()
  let stopping = false

  async function write(): Promise<void> {
    const next = wanted
    if (next === null || JSON.stringify(next) === written || !mayWrite()) return
    const value = encodeJson(next)
    const revised = revision === null ? await bucket.create(KEYS.tenantShares, value) : await bucket.update(KEYS.tenantShares, value, revision)
    if (revised !== null) {
      revision = revised
      written = JSON.stringify(next)
      log.info('tenant-shares', { shares: next.shares.length, newest: next.shares.at(-1) ?? null })
      return
    }
    // Our own write whose answer was lost, or another owner's: what stands there tells, and who may no longer write leaves it.
    const now = await bucket.get(KEYS.tenantShares)
    revision = now?.revision ?? null
    written = now === null ? '' : new TextDecoder().decode(now.value)
    await write()
  }

  return {
    tell(shares) {
      if (JSON.stringify(shares) === JSON.stringify(wanted)) return
      wanted = shares
      writing = writing.then(writeAtLast)
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      await writing
    },
  }

  async function writeAtLast(): Promise<void> {
    for (;;) {
      try {
        return await write()
      } catch (error) {
        if (!(error instanceof Infrastructure)) throw error
        log.warn('tenant-shares-unsaved', { because: error.message })
        if (stopping || error.code === 'closed') return
        await new Promise((resolve) => setTimeout(resolve, RETRY_PACE_MS[(error as Infrastructure).code]))
      }
    }
  }
}
