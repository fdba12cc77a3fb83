/** What the world publishes for the receiving side: MX, A and PTR of every ISP. */
import type { Addresses } from '../addresses.ts'
import type { IspRow } from '../models/isp.ts'
import { NULL_MX_DOMAIN } from '../models/tail.ts'
import type { ZoneRecord } from './zone.ts'

/** Real providers use 5 to 60 minutes; a minute lets a long test see an expiry. */
const TTL_S = 60

export function ispRecords(rows: readonly IspRow[], addresses: Addresses): readonly ZoneRecord[] {
  return [...rows.flatMap((row) => rowRecords(row, addresses)), { name: NULL_MX_DOMAIN, ttlS: TTL_S, type: 'MX', data: { preference: 0, exchange: '.' } }]
}

function rowRecords(row: IspRow, addresses: Addresses): readonly ZoneRecord[] {
  const records: ZoneRecord[] = []
  for (const host of row.hosts) {
    const address = addresses.of(host)
    records.push({ name: host, ttlS: TTL_S, type: 'A', data: address }, { name: reverseName(address), ttlS: TTL_S, type: 'PTR', data: host })
  }
  const first = addresses.of(row.hosts[0] ?? '')
  for (const name of row.vanity ?? []) records.push({ name, ttlS: TTL_S, type: 'A', data: first })
  for (const { domain, mx } of row.domains) {
    if (mx.length === 0) records.push({ name: domain, ttlS: TTL_S, type: 'A', data: first })
    for (const [preference, exchange] of mx) records.push({ name: domain, ttlS: TTL_S, type: 'MX', data: { preference, exchange } })
  }
  return records
}

/** `127.0.1.7` → `7.1.0.127.in-addr.arpa`; IPv6 by nibbles (RFC 3596 2.5). */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [head = '', tail = ''] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return `${groups
    .map((group) => group.padStart(4, '0'))
    .join('')
    .split('')
    .reverse()
    .join('.')}.ip6.arpa`
}
