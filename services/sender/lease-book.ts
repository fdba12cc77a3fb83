import type { MonoMs } from '../../protocol/words.ts'

/** What the book needs of a lease holder. */
export interface Listed {
  readonly lease: { readonly id: string; readonly shard: string; readonly sessions: number }
  readonly ended: boolean
  /** when its router was told of it last */
  readonly toldAt: MonoMs
  /** something that its router has not been told */
  hasNews(): boolean
  /** no order is here under it */
  readonly idle: boolean
  sessions(phase: 'lingering'): number
}

/** Those of one shard. */
interface Shelf<H> {
  /** told longest ago first */
  readonly all: Set<H>
  /** those that something has happened to since they were told */
  readonly stirred: Set<H>
}

/**
 * All leases of a sender by id and by shard, what has changed of them, and how many sessions they have. A sender holds a thousand leases and more, of which a
 * few change between two reports: nothing here looks at all of them.
 */
export class LeaseBook<H extends Listed> {
  readonly #byId = new Map<string, H>()
  readonly #shelves = new Map<string, Shelf<H>>()
  /** sessions that each live lease counts for; `#lent` is their sum */
  readonly #counted = new Map<H, number>()
  #lent = 0
  /** ended, not yet closed */
  readonly #ending = new Set<H>()

  get size(): number {
    return this.#byId.size
  }
  get(id: string): H | undefined {
    return this.#byId.get(id)
  }
  all(): Iterable<H> {
    return this.#byId.values()
  }
  shards(): string[] {
    return [...this.#shelves.keys()]
  }
  ofShard(shard: string): Iterable<H> {
    return this.#shelves.get(shard)?.all ?? []
  }

  add(holder: H): void {
    const { id, shard } = holder.lease
    this.#byId.set(id, holder)
    const shelf = this.#shelves.get(shard) ?? { all: new Set(), stirred: new Set() }
    this.#shelves.set(shard, shelf)
    shelf.all.add(holder)
    this.stirred(holder)
  }

  /** Something happened under it: orders, sessions, outcomes, its numbers, its end. */
  stirred(holder: H): void {
    if (this.#byId.get(holder.lease.id) !== holder) return
    this.#shelves.get(holder.lease.shard)?.stirred.add(holder)
    const sessions = holder.ended ? 0 : holder.lease.sessions
    this.#lent += sessions - (this.#counted.get(holder) ?? 0)
    if (holder.ended) {
      this.#counted.delete(holder)
      this.#ending.add(holder)
    } else this.#counted.set(holder, sessions)
  }

  /** Sessions that are lent out; of an ended lease those that still linger. */
  lent(): number {
    let lent = this.#lent
    for (const holder of this.#ending) lent += holder.sessions('lingering')
    return lent
  }

  /** Whom the shard's router should hear of now: those with news, and those told longer ago than `quietMs`; the idle ones of them `idleMs`. */
  toTell(shard: string, now: MonoMs, { quietMs, idleMs }: { readonly quietMs: number; readonly idleMs: number }): H[] {
    const shelf = this.#shelves.get(shard)
    if (shelf === undefined) return []
    const tell: H[] = []
    for (const holder of shelf.stirred) if (holder.hasNews()) tell.push(holder)
    shelf.stirred.clear()
    const news = new Set(tell)
    for (const holder of shelf.all) {
      const forMs = now - holder.toldAt
      if (forMs < Math.min(quietMs, idleMs)) break
      if ((forMs >= quietMs || holder.idle) && !news.has(holder)) tell.push(holder)
    }
    return tell
  }

  /** It was told of just now. One that is ending is told of again, until it is closed and that was heard. */
  told(holder: H): void {
    const shelf = this.#shelves.get(holder.lease.shard)
    if (shelf === undefined) return
    shelf.all.delete(holder)
    shelf.all.add(holder)
    if (holder.ended) shelf.stirred.add(holder)
  }

  forget(id: string): void {
    const holder = this.#byId.get(id)
    if (holder === undefined) return
    const { shard } = holder.lease
    this.#byId.delete(id)
    this.#lent -= this.#counted.get(holder) ?? 0
    this.#counted.delete(holder)
    this.#ending.delete(holder)
    const shelf = this.#shelves.get(shard)
    shelf?.all.delete(holder)
    shelf?.stirred.delete(holder)
    if (shelf?.all.size === 0) this.#shelves.delete(shard)
  }
}
