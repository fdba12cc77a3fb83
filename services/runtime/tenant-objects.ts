import { OBJECT_BUCKET, ownerOfObject, tenantObjectBucket } from '../../protocol/buckets.ts'
import type { Bus } from './bus/types.ts'
import { ObjectError, type ObjectPin, openObjects } from './objects.ts'

/** With the bucket it was found in. */
export interface FoundObject extends ObjectPin {
  readonly bucket: string
}

/**
 * What a tenant's mail may name: what its own programs put, then what people put into the bucket of all, but nothing there that is another's
 * by its name (S6).
 */
export interface TenantObjects {
  /** null when there is none */
  head(name: string): Promise<FoundObject | null>
  /** Throws ObjectError, as `Objects.read` does. */
  read(which: string | FoundObject): AsyncGenerator<Uint8Array>
}

/** `tenants`: all of the fleet. */
export function openTenantObjects(bus: Bus, tenant: string, tenants: readonly string[]): TenantObjects {
  const head = async (name: string): Promise<FoundObject | null> => {
    for (const bucket of [tenantObjectBucket(tenant), OBJECT_BUCKET]) {
      // A server that somebody else runs has no buckets for tenants.
      if (bucket === OBJECT_BUCKET ? ![null, tenant].includes(ownerOfObject(name, tenants)) : !(await bus.hasStream(`OBJ_${bucket}`))) continue
      const pin = await openObjects(bus, bucket).head(name)
      if (pin !== null) return { ...pin, bucket }
    }
    return null
  }
  return {
    head,
    async *read(which) {
      const found = typeof which === 'string' ? await head(which) : which
      if (found === null) throw new ObjectError('missing', `there is no object "${which}" of ${tenant}`)
      yield* openObjects(bus, found.bucket).read(found)
    },
  }
}
