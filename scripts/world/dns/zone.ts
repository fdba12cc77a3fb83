/** All names the world publishes, and what it answers for them. Pure; the sockets are in server.ts. */

export type RecordData =
  | { readonly type: 'A' | 'AAAA' | 'PTR' | 'CNAME'; readonly data: string }
  | { readonly type: 'MX'; readonly data: { readonly preference: number; readonly exchange: string } }
  | { readonly type: 'TXT'; readonly data: readonly string[] }
export type ZoneRecord = RecordData & { readonly name: string; readonly ttlS: number }

export type Zone = {
  /** lower-case name → its records */
  readonly names: Map<string, readonly ZoneRecord[]>
  /** every ancestor of a name: those exist too, without records (RFC 8020) */
  readonly ancestors: Set<string>
}

export type Found = { readonly rcode: 'NOERROR' | 'NXDOMAIN'; readonly answers: readonly ZoneRecord[]; readonly apex: string }

/** Negative answers are kept this long (SOA minimum, RFC 2308): short, so that a demo sees a name appear. */
export const NEGATIVE_TTL_S = 30
const CNAME_MAX = 8

export function openZone(records: Iterable<ZoneRecord>): Zone {
  const zone: Zone = { names: new Map(), ancestors: new Set() }
  publish(zone, records)
  return zone
}

/** Adds records; those of the same name and type that were there before are replaced. */
export function publish(zone: Zone, records: Iterable<ZoneRecord>): void {
  const fresh = new Map<string, ZoneRecord[]>()
  for (const record of records) {
    const name = record.name.toLowerCase()
    fresh.set(name, [...(fresh.get(name) ?? []), { ...record, name }])
  }
  for (const [name, added] of fresh) {
    const types = new Set(added.map(({ type }) => type))
    const kept = (zone.names.get(name) ?? []).filter(({ type }) => !types.has(type))
    zone.names.set(name, [...kept, ...added])
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) zone.ancestors.add(name.slice(dot + 1))
  }
}

/** Takes away all names below `apex`. */
export function withdraw(zone: Zone, apex: string): void {
  const below = `.${apex.toLowerCase()}`
  for (const name of zone.names.keys()) if (name.endsWith(below)) zone.names.delete(name)
  for (const name of zone.ancestors) if (name.endsWith(below)) zone.ancestors.delete(name)
}

export function lookUp(zone: Zone, asked: string, type: string): Found {
  const answers: ZoneRecord[] = []
  let name = asked.toLowerCase().replace(/\.$/, '')
  for (let hop = 0; hop < CNAME_MAX; hop += 1) {
    const here = zone.names.get(name)
    if (here === undefined) return { rcode: zone.ancestors.has(name) || answers.length > 0 ? 'NOERROR' : 'NXDOMAIN', answers, apex: apexOf(name) }
    const matching = here.filter((record) => record.type === type)
    if (matching.length > 0) return { rcode: 'NOERROR', answers: [...answers, ...matching], apex: apexOf(name) }
    const alias = here.find((record) => record.type === 'CNAME')
    if (alias === undefined || alias.type !== 'CNAME') break
    answers.push(alias)
    name = alias.data.toLowerCase()
  }
  return { rcode: 'NOERROR', answers, apex: apexOf(name) }
}

/** The zone whose SOA goes with a negative answer: the last two labels, which is near enough for a cache. */
function apexOf(name: string): string {
  return name.split('.').slice(-2).join('.')
}
