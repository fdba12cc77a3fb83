import type { MonoMs } from '../../protocol/words.ts'
import type { Route } from './policy/route.ts'
import type { Routes } from './routes.ts'
import type { SmtpSession } from './smtp/session.ts'

/** What was found is believed for so long: DNS and TLS policies live for minutes, and asking at each mail costs as much as the mail's replies. */
const BELIEVED_MS = 1_000
/** at a large provider one session meets very many domains */
const DOMAINS_REMEMBERED = 1_000

/** Which domains' mail a worker's open session was found to take. */
export class Bearing {
  readonly #routes: Routes
  readonly #mono: () => MonoMs
  #session: SmtpSession | null = null
  readonly #until = new Map<string, MonoMs>()

  constructor(options: { routes: Routes; mono: () => MonoMs }) {
    this.#routes = options.routes
    this.#mono = options.mono
  }

  believes(session: SmtpSession, domain: string): boolean {
    return session.usable && session === this.#session && (this.#until.get(domain) ?? 0) > this.#mono()
  }

  async asks(session: SmtpSession, route: Route, domain: string): Promise<boolean> {
    if (!session.usable || !(await this.#routes.bears(session.facts, route, domain))) return false
    if (session !== this.#session || this.#until.size >= DOMAINS_REMEMBERED) this.#until.clear()
    this.#session = session
    this.#until.set(domain, this.#mono() + BELIEVED_MS)
    return true
  }
}
