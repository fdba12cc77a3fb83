import type { Outcome } from '../../protocol/outcome.ts'

/** A recipient whose mail the far end took. */
export function deliveredTo(n: number, rcpt = ''): Outcome {
  return {
    n,
    ref: null,
    rcpt,
    outcome: 'delivered',
    stage: 'dot',
    code: 250,
    enhanced: null,
    reply: 'ok',
    class: 'delivered',
    blames: 'nobody',
    mx: 'mx',
    ip: '127.0.1.1',
    site: 'google',
    ms: 1,
  }
}
