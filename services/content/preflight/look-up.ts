/**
 * Questions to DNS as values: a check is a generator that yields what it wants to know and is given what was found. So it decides without
 * any network, and whoever runs it brings the resolver.
 */
export interface LookUp {
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR'
}

/** MX as its exchanges (`.` = null MX, RFC 7505), TXT with its strings joined; names in lower case without the last dot. */
export type Found =
  | { readonly kind: 'records'; readonly records: readonly string[] }
  | { readonly kind: 'none' } // the name is not there, or not with this type
  | { readonly kind: 'unknown'; readonly because: string } // DNS did not answer

export type Check<T> = Generator<LookUp, T, Found>

/** Asks the way a check wants it. */
export async function runCheck<T>(check: Check<T>, lookUp: (question: LookUp) => Promise<Found>): Promise<T> {
  let step = check.next()
  while (!step.done) step = check.next(await lookUp(step.value))
  return step.value
}
