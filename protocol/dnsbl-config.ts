import { z } from 'zod'
import { Duration } from './duration.ts'
import type { Fleet } from './fleet.ts'

const CODE = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:-127\.\d{1,3}\.\d{1,3}\.\d{1,3})?$/

/** A `[[dnsbl]]` row of the fleet file: a block list by DNS (RFC 5782) in which our addresses are looked up. */
export const DnsblConfig = z.strictObject({
  zone: z.string().regex(/^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9-]{2,}\.?$/i, 'must be a DNS zone such as zen.spamhaus.org'),
  /** answers that are a listing: addresses or ranges; what lists say of policy or of the asker (127.255.255.x) is none */
  codes: z
    .array(z.string().regex(CODE, 'must be an address such as 127.0.0.2 or a range such as 127.0.0.2-127.0.0.9'))
    .min(1)
    .default(['127.0.0.2-127.0.0.255']),
  /** a listing quarantines the IP everywhere; else it is only told */
  quarantine: z.boolean().default(false),
  /** lists want no more than a question an address every few minutes */
  every: Duration.default(600_000),
})
export type DnsblConfig = z.infer<typeof DnsblConfig>

/** `fleet.apply` refused what could fail here. */
export function dnsblZones(fleet: Pick<Fleet, 'dnsbl'> | null): readonly DnsblConfig[] {
  return (fleet?.dnsbl ?? []).map((row) => DnsblConfig.parse(row))
}
