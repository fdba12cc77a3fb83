/**
 * Which batch next: deficit round robin over tenants' weights and, inside a tenant, over campaigns' weights, per (site, lane).
 * So a campaign of 10 million never stands before one of 100, and a campaign's weight divides its tenant's share and nobody else's (delivery.md §2).
 */
export interface Candidate {
  readonly tenant: string
  readonly tenantWeight: number
  readonly campaign: string
  readonly weight: number
  /** recipients in its next batch; null = nothing to release now */
  readonly next: number | null
}

/** Deficits by name; what a queue did not use while it had nothing is forgotten, so that a pause is no credit. */
export type Deficits = Map<string, number>

/** Recipients a weight of 1 earns a round: one full batch. */
const QUANTUM = 100

/** Picks the candidate whose turn it is and charges it; null when nobody has anything. */
export function pick<C extends Candidate>(candidates: readonly C[], deficits: Deficits): C | null {
  const ready = candidates.filter((candidate) => candidate.next !== null)
  if (ready.length === 0) return null
  if (ready.length === 1) return ready[0] as C
  const tenant = turn(tenantWeights(ready), deficits)
  const own = ready.filter((candidate) => `t ${candidate.tenant}` === tenant)
  const name = turn(new Map(own.map((candidate) => [nameOf(candidate), candidate.weight])), deficits)
  const chosen = own.find((candidate) => nameOf(candidate) === name) as C
  const cost = chosen.next ?? 0
  deficits.set(tenant, (deficits.get(tenant) ?? 0) - cost)
  deficits.set(name, (deficits.get(name) ?? 0) - cost)
  return chosen
}

/** NOTE: a tenant whose share of one pool is halved brings the halved weight for its campaigns of another pool too: the site's turn is the tenant's. */
function tenantWeights(ready: readonly Candidate[]): Map<string, number> {
  const weights = new Map<string, number>()
  for (const { tenant, tenantWeight } of ready) weights.set(`t ${tenant}`, Math.min(tenantWeight, weights.get(`t ${tenant}`) ?? tenantWeight))
  return weights
}

/** Who has nothing here now loses credit and debt, and names of campaigns that ended do not pile up. */
export function forgetAbsent(deficits: Deficits, candidates: readonly Candidate[]): void {
  const present = new Set(candidates.flatMap((candidate) => [`t ${candidate.tenant}`, nameOf(candidate)]))
  for (const name of deficits.keys()) if (!present.has(name)) deficits.delete(name)
}

function nameOf({ tenant, campaign }: Candidate): string {
  return `c ${tenant}/${campaign}`
}

/** Who has credit; when nobody has, everybody earns in proportion to weight until somebody has. */
function turn(weights: ReadonlyMap<string, number>, deficits: Deficits): string {
  let best: string | null = null
  for (;;) {
    for (const name of weights.keys())
      if ((deficits.get(name) ?? 0) > 0 && (best === null || (deficits.get(name) ?? 0) > (deficits.get(best) ?? 0))) best = name
    if (best !== null) return best
    const rounds = Math.min(...[...weights].map(([name, weight]) => Math.floor(-(deficits.get(name) ?? 0) / (QUANTUM * weight)) + 1))
    for (const [name, weight] of weights) deficits.set(name, (deficits.get(name) ?? 0) + rounds * QUANTUM * weight)
  }
}

/** How many recipients a site may have on the way, per lane: a few seconds of what it drains, at least enough to start. */
export function room(site: { readonly onTheWay: number; readonly perS: number }, resting: boolean): number {
  const seconds = resting ? 0 : 4
  // A resting site keeps one batch's worth at hand, so that it starts without a round trip when the rest ends.
  return Math.max(resting ? 100 : 300, Math.ceil(site.perS * seconds)) - site.onTheWay
}
