import type { Route } from './route.ts'
import { type Finding, foundWithoutReply } from './attempt.ts'

/** What a recipient's way comes to where it leads nowhere now. */
export function routeFinding(route: Exclude<Route, { kind: 'hops' }>): Finding {
  switch (route.kind) {
    case 'none':
      return { ...foundWithoutReply('bounced', route.class, 'domain', route.because), suppress: true }
    case 'dns':
      return foundWithoutReply('deferred', 'dns', 'nobody', route.because)
    case 'forbidden':
      return foundWithoutReply('bounced', 'unreachable', 'domain', route.because)
    case 'down':
      return { ...foundWithoutReply('deferred', route.class, 'host', route.because, 'connect'), retryAfterMs: route.untilMs }
  }
}
