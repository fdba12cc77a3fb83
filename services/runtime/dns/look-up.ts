import type { Answer } from './answer.ts'
import type { Resolver } from './resolver.ts'

/** A question as services/content asks it: it decides without a network, so whoever runs its checks brings the resolver. */
interface Question {
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR'
}
type Found =
  | { readonly kind: 'records'; readonly records: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly because: string }

function textOf(record: Answer['records'][number]): string {
  if (typeof record === 'string') return record
  return 'exchange' in record ? record.exchange.toLowerCase().replace(/(?<=.)\.$/, '') || '.' : record.data.toString('hex')
}

/** Preflight's questions, asked of the runtime's resolver. */
export function lookUpBy(resolver: Resolver): (question: Question) => Promise<Found> {
  return async ({ name, type }) => foundIn(await resolver.resolve(name, type))
}

export function foundIn({ rcode, because, records }: Answer): Found {
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return { kind: 'unknown', because: because ?? rcode }
  return records.length === 0 ? { kind: 'none' } : { kind: 'records', records: records.map(textOf) }
}
