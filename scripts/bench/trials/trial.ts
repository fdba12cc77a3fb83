import type { Target } from '../contender.ts'

/** What a trial asks and what it found; the lines go to the terminal and to BENCHMARKS.md. */
export interface Trial {
  /** the word of --trial */
  readonly name: string
  readonly title: string
  /** what is done, in a sentence */
  readonly about: string
  run(surroundings: TrialSurroundings): Promise<readonly Finding[]>
}

export interface TrialSurroundings {
  /** a sink of the trial's own; the host it listens at may be any of this machine's */
  sink(host?: string): Promise<Target & AsyncDisposable>
  /** lines of the long list */
  readonly recipients: number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

export interface Finding {
  readonly what: string
  readonly found: string
  /** the figure that Hato wants to reach, and whether it did; null where there is none */
  readonly asked: { readonly words: string; readonly met: boolean } | null
}

export const atLeast = (found: number, wanted: number, unit: string): Finding['asked'] => ({ words: `≥ ${wanted} ${unit}`.trim(), met: found >= wanted })
export const atMost = (found: number, wanted: number, unit: string): Finding['asked'] => ({ words: `≤ ${wanted} ${unit}`.trim(), met: found <= wanted })
