/** Never more sessions from one source to one remote address, whatever the site (delivery.md §6): two sites may lead to one box. */
const SESSIONS_MOST = 5

/** Sessions of this process, open or being opened, by source and remote address. */
export class AddressUse {
  readonly #sessions = new Map<string, number>()

  /** `own`: what the site's row says of one address; a next hop of our own may bear more than strangers do. */
  hasRoom(source: string, address: string, own: number): boolean {
    return (this.#sessions.get(`${source} ${address}`) ?? 0) < Math.max(SESSIONS_MOST, own)
  }

  occupy(source: string, address: string, by: 1 | -1): void {
    const key = `${source} ${address}`
    const sessions = (this.#sessions.get(key) ?? 0) + by
    if (sessions > 0) this.#sessions.set(key, sessions)
    else this.#sessions.delete(key)
  }
}

/** One lease's part of them. Of its own it may have as many to one address as its site's row says. */
export class LeaseAddresses {
  readonly #all: AddressUse
  readonly #source: string
  readonly #sessions = new Map<string, number>()

  constructor(all: AddressUse, source: string) {
    this.#all = all
    this.#source = source
  }

  withRoom<H extends { readonly address: string }>(hops: readonly H[], most: number): readonly H[] {
    return hops.filter(({ address }) => (this.#sessions.get(address) ?? 0) < most && this.#all.hasRoom(this.#source, address, most))
  }

  occupy(address: string, by: 1 | -1): void {
    this.#all.occupy(this.#source, address, by)
    const sessions = (this.#sessions.get(address) ?? 0) + by
    if (sessions > 0) this.#sessions.set(address, sessions)
    else this.#sessions.delete(address)
  }
}
