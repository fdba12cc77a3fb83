import tls, { type SecureContext } from 'node:tls'

/** The roots that receivers' certificates are held against: Node's own (NODE_EXTRA_CA_CERTS among them) and the fleet's `[tls] ca`.
 *  NOTE One context for all connections: made anew for each, the roots would be parsed each time. */
export class Roots {
  #ca: string | undefined
  #context: SecureContext = tls.createSecureContext()

  get context(): SecureContext {
    return this.#context
  }

  use(ca: string | undefined): void {
    if (ca === this.#ca) return
    this.#ca = ca
    this.#context = tls.createSecureContext(ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] })
  }
}
