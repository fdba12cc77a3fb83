import type { Problem } from '../../protocol/campaign.ts'

/** What the exit code tells a script: 69 and 78 as in sysexits (EX_UNAVAILABLE, EX_CONFIG), 130 as shells say Ctrl-C. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unavailable: 69, badConfig: 78, interrupted: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export type FailureKind = 'failed' | 'usage' | 'unavailable' | 'badConfig'

/** Why a command did not do what was asked, in words for the person who asked. `problems` are shown a line each. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly kind: FailureKind
  /** for programs (`--json`) */
  readonly code: string
  readonly problems: readonly Problem[]

  constructor(kind: FailureKind, message: string, more: { readonly code?: string; readonly problems?: readonly Problem[] } = {}) {
    super(message)
    this.kind = kind
    this.code = more.code ?? kind
    this.problems = more.problems ?? []
  }
}

/** `recipients[17].address: "taro@@example.jp" is …` */
export function problemLine({ path, message }: Problem): string {
  return path === '' ? message : `${path}: ${message}`
}
