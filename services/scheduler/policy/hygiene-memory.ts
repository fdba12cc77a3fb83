import type { EpochMs } from '../../../protocol/words.ts'
import { SiteBrake } from './brake.ts'
import type { Pair } from './breakers.ts'
import { type HeldGroup, Hygiene, type Verdict } from './hygiene.ts'
import { Marks } from './marks.ts'
import { Ring } from './ring.ts'

type Bits = readonly [bits: Uint8Array, total: number]

/** What rests of it between two terms, true for `position`: the last sequence of OUTCOMES it has seen. */
export interface HygieneMemory {
  readonly v: 1
  readonly position: number
  readonly sites: readonly {
    readonly name: string
    readonly results: Bits
    readonly usual: number
    readonly usualOf: number
    readonly pulledAt: EpochMs | null
    readonly pending: readonly (Verdict & { readonly index: number })[]
  }[]
  readonly pairs: readonly { readonly key: string; readonly unknown: Bits; readonly policy: Bits; readonly delivered: number; readonly complained: number }[]
  readonly marks: Uint8Array
  readonly groups: readonly (readonly [number: number, group: HeldGroup])[]
}

/** A copy: the living one goes on while this one is written. */
export function remember(hygiene: Hygiene, position: number): HygieneMemory {
  return {
    v: 1,
    position,
    sites: [...hygiene.sites].map(([name, { brake, pending }]) => ({
      name,
      results: bitsOf(brake.results),
      usual: brake.usual,
      usualOf: brake.usualOf,
      pulledAt: brake.pulledAt,
      pending: [...pending],
    })),
    pairs: [...hygiene.pairs].map(([key, { unknown, policy, delivered, complained }]) => ({
      key,
      unknown: bitsOf(unknown),
      policy: bitsOf(policy),
      delivered,
      complained,
    })),
    marks: hygiene.marks.packed(),
    groups: [...hygiene.groups],
  }
}

export function recall({ sites, pairs, marks, groups }: HygieneMemory): Hygiene {
  return new Hygiene({
    sites: new Map(
      sites.map(({ name, results, usual, usualOf, pulledAt, pending }) => [
        name,
        { brake: new SiteBrake({ results: ringOf(results), usual, usualOf, pulledAt }), pending: [...pending] },
      ]),
    ),
    pairs: new Map(pairs.map(({ key, unknown, policy, ...counts }): [string, Pair] => [key, { unknown: ringOf(unknown), policy: ringOf(policy), ...counts }])),
    marks: Marks.restore(marks),
    groups: new Map(groups),
  })
}

function bitsOf(ring: Ring): Bits {
  return [ring.bits.slice(), ring.total]
}

function ringOf([bits, total]: Bits): Ring {
  return new Ring(new Uint8Array(bits), total)
}
