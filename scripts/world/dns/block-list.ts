/** A block list as a zone (RFC 5782): what it lists, and the two test entries by which a dead or broken list is known. */
import { reverseName } from './isp-records.ts'
import type { ZoneRecord } from './zone.ts'

/** `sound`: 127.0.0.2 is listed, 127.0.0.1 is not · `dead`: neither · `everything`: both */
export const BLOCK_LIST_TESTS = ['sound', 'dead', 'everything'] as const
export type BlockListTests = (typeof BLOCK_LIST_TESTS)[number]

const TTL_S = 60

export function blockListRecords(zone: string, listed: Readonly<Record<string, string>>, tests: BlockListTests): readonly ZoneRecord[] {
  const entries = {
    ...listed,
    ...(tests !== 'dead' && { '127.0.0.2': '127.0.0.2' }),
    ...(tests === 'everything' && { '127.0.0.1': '127.0.0.2' }),
  }
  return Object.entries(entries).map(([address, code]) => ({
    name: `${reverseName(address).replace(/\.(?:in-addr|ip6)\.arpa$/, '')}.${zone}`,
    ttlS: TTL_S,
    type: 'A',
    data: code,
  }))
}
