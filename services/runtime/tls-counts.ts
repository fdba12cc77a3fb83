import { KEYS } from '../../protocol/buckets.ts'
import { mergeCounts, type TlsCounts } from '../../protocol/tls-report.ts'
import type { Bucket } from './kv.ts'

/** What all senders together counted on a UTC day, as far as it is kept (bucket `policies`). */
export async function countedOn(day: string, bucket: Bucket): Promise<TlsCounts> {
  const kept: TlsCounts[] = []
  for (const key of await bucket.keys(KEYS.tlsCounts(day, '*'))) {
    const value = await bucket.get(key)
    if (value !== null) kept.push(JSON.parse(new TextDecoder().decode(value.value)) as TlsCounts)
  }
  return mergeCounts(day, kept)
}
