/** Trouble that a test or a person plants at an ISP while the world runs; it comes before every behaviour of the row. */
import type { Answer, Seen } from './behaviour.ts'
import type { SmtpEvent } from './event.ts'
import { reply } from './reply.ts'

export const FAULT_STAGES = ['connect', 'ehlo', 'starttls', 'mail', 'rcpt', 'data', 'dot'] as const
export const FAULT_DEEDS = ['reply', 'cut', 'reset', 'silence', 'store-and-silence', 'store-and-cut', 'wait'] as const

export type Fault = {
  readonly stage: (typeof FAULT_STAGES)[number]
  readonly does: (typeof FAULT_DEEDS)[number]
  /** for `reply`; 421 and 554 at the greeting also close */
  readonly code?: number
  readonly enhanced?: string
  readonly text?: string
  /** for `wait` */
  readonly waitMs?: number
  /** only these source IPs; absent = all */
  readonly sources?: readonly string[]
  /** how often it strikes; absent = always */
  readonly times?: number
  /** epoch ms; absent = until it is lifted */
  readonly until?: number
}

export type FaultState = { readonly id: string; readonly fault: Fault; struck: number }

export function strike(faults: readonly FaultState[], event: SmtpEvent, { now, session }: Seen): Answer | { readonly waitMs: number } | null {
  for (const state of faults) {
    const { fault } = state
    const here = fault.stage === event.on || (fault.stage === 'ehlo' && event.on === 'helo')
    if (!here || state.struck >= (fault.times ?? Infinity) || now >= (fault.until ?? Infinity)) continue
    if (fault.sources !== undefined && !fault.sources.includes(session.source)) continue
    state.struck += 1
    return deed(fault)
  }
  return null
}

function deed(fault: Fault): Answer | { readonly waitMs: number } {
  switch (fault.does) {
    case 'wait':
      return { waitMs: fault.waitMs ?? 1000 }
    case 'cut':
      return { reply: null, because: 'fault', then: fault.stage === 'data' ? 'cut-in-body' : 'cut' }
    case 'reset':
      return { reply: null, because: 'fault', then: 'reset' }
    case 'silence':
      return { reply: null, because: 'fault', then: 'stay' }
    case 'store-and-silence':
      return { reply: null, because: 'fault', then: 'stay', keeps: 'mail' }
    case 'store-and-cut':
      return { reply: null, because: 'fault', then: 'cut', keeps: 'mail' }
    case 'reply': {
      const code = fault.code ?? 451
      const closes = code === 421 || fault.stage === 'connect'
      return {
        reply: reply(code, fault.enhanced ?? null, fault.text ?? 'Trouble planted in the simulated internet'),
        because: 'fault',
        then: closes ? 'close' : 'stay',
      }
    }
  }
}
