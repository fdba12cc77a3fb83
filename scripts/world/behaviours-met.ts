/** Which behaviours of which ISP showed themselves: the demo's table. */
import type { BehaviourName, ProvokedBy } from './models/names.ts'
import type { IspRow } from './models/isp.ts'
import type { IspCounts } from './counts.ts'

export type BehaviourMet = { readonly name: BehaviourName; readonly provokedBy: ProvokedBy; readonly met: number }
export type IspMet = { readonly isp: string; readonly behaviours: readonly BehaviourMet[]; readonly words: number }

export function behavioursMet(rows: readonly IspRow[], counts: ReadonlyMap<string, IspCounts>): readonly IspMet[] {
  return rows.map((row) => {
    const met = counts.get(row.name)?.met
    return {
      isp: row.name,
      words: met?.get('words') ?? 0,
      behaviours: row.behaviours.map(({ name, provokedBy }) => ({ name, provokedBy, met: met?.get(name) ?? 0 })),
    }
  })
}

/** What nobody met yet: `[isp, behaviour]`. Of `excess` only who oversteps a limit (or an address word `meet-…`) can show one. */
export function notMet(
  met: readonly IspMet[],
  kinds: readonly ProvokedBy[] = ['address', 'traffic', 'chance'],
): readonly (readonly [isp: string, behaviour: BehaviourName])[] {
  return met.flatMap(({ isp, behaviours }) =>
    behaviours.filter((one) => one.met === 0 && kinds.includes(one.provokedBy)).map(({ name }) => [isp, name] as const),
  )
}
