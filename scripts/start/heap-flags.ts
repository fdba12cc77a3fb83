import type { ActorRole } from './roles.ts'

/**
 * What V8 is told about an actor's heap. By itself it lets a heap grow to twice and more of what lives before it collects, and the young generation to 48 MB,
 * as long as the machine has memory: an actor that holds 60 MB then stands at 300. What grows with the work lies outside the heap (tallies, indexes,
 * de-duplication), so collecting sooner costs little.
 */
export function heapFlags(role: ActorRole): readonly string[] {
  const { growingPercent, semiSpaceMb } = HEAPS[role]
  return [`--heap-growing-percent=${growingPercent}`, `--max-semi-space-size=${semiSpaceMb}`]
}

/** A sender makes the most short-lived octets, so its old generation may grow a little more; 8 MB of young ones cost it no CPU that shows, 16 took a thousand sessions over 250 MB. */
const HEAPS: Readonly<Record<ActorRole, { readonly growingPercent: number; readonly semiSpaceMb: number }>> = {
  scheduler: { growingPercent: 30, semiSpaceMb: 8 },
  'domain-router': { growingPercent: 30, semiSpaceMb: 8 },
  'ip-manager': { growingPercent: 30, semiSpaceMb: 4 },
  sender: { growingPercent: 50, semiSpaceMb: 8 },
}
