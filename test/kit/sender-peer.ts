import { decode, encode } from '../../protocol/codec.ts'
import type { HeldOrder } from '../../protocol/messages/mail.ts'
import type { Grant, Holdings, HoldingsAsk, LeaseReport, Report, ReportAnswer, SenderHere } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'

/** A sender as its routers see it: takes grants, works the orders off at its own speed, reports; its mails go nowhere. */
export class SenderPeer implements AsyncDisposable {
  readonly grants: Grant[] = []
  readonly answers: ReportAnswer[] = []
  readonly leases = new Map<string, { lease: Grant['lease']; until: number; orders: HeldOrder[]; ended: number[]; delivered: number; closed: boolean }>()
  readonly done: HeldOrder[] = []
  working = true
  readonly id: string
  readonly #bus: Bus
  readonly #stack = new DisposableStack()
  readonly #reporting = new Set<Promise<void>>()
  readonly #ips: readonly string[]

  constructor(bus: Bus, id: string, ips: readonly string[]) {
    this.id = id
    this.#ips = ips
    this.#bus = bus
    this.#stack.use(bus.serve(subject('grant', { sender: id }), (call) => call.reply(encode(this.#take(decode<Grant>(call.body))))))
    this.#stack.use(bus.serve(subject('holdings', { sender: id }), (call) => call.reply(encode(this.#holdings(decode<HoldingsAsk>(call.body).shard)))))
    for (const [ms, run] of [
      [300, () => this.#here()],
      [100, () => this.#reportNow()],
    ] as const) {
      const timer = setInterval(run, ms)
      this.#stack.defer(() => clearInterval(timer))
    }
    this.#here()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stack.dispose()
    await Promise.all(this.#reporting)
  }

  #reportNow(): void {
    const reporting = this.report().finally(() => this.#reporting.delete(reporting))
    this.#reporting.add(reporting)
  }

  ordersOf(campaign: string): number[] {
    return this.grants.flatMap(({ orders }) => orders.filter(({ order }) => order.campaign === campaign).map(({ seq }) => seq))
  }

  #here(): void {
    const message: SenderHere = { sender: this.id, tick: performance.now(), sessionsFree: 50, ips: this.#ips, stopping: false }
    this.#bus.say(subject('senderHere', {}), encode(message))
  }

  #take(grant: Grant) {
    this.grants.push(grant)
    const known = this.leases.get(grant.lease.id)
    const orders = [...(known?.orders ?? []), ...grant.orders]
    this.leases.set(grant.lease.id, { lease: grant.lease, until: grant.tick + grant.lease.ms, orders, ended: known?.ended ?? [], delivered: 0, closed: false })
    return { kind: 'accepted' as const }
  }

  #holdings(shard: string): Holdings {
    const leases = [...this.leases.values()].filter(({ lease, closed }) => lease.shard === shard && !closed)
    return {
      sender: this.id,
      tick: performance.now(),
      sessionsFree: 50,
      leases: leases.map(({ lease, orders }) => ({ ...lease, open: 1, lingering: 0, queued: orders.length, orders: orders.map(({ seq }) => seq) })),
    }
  }

  async report(): Promise<void> {
    for (const held of this.leases.values()) {
      for (const { ackSubject } of held.orders) this.#bus.working(ackSubject)
      const next = this.working ? held.orders.shift() : undefined
      if (next === undefined) continue
      this.#bus.ack(next.ackSubject)
      this.done.push(next)
      held.ended.push(next.seq)
      held.delivered += next.order.count
    }
    for (const shard of new Set([...this.leases.values()].map(({ lease }) => lease.shard))) await this.#reportTo(shard)
  }

  /** What it holds of the lease it finishes, then it is closed. */
  #end(id: string): void {
    const held = this.leases.get(id)
    if (held === undefined) return
    for (const order of held.orders.splice(0)) {
      this.#bus.ack(order.ackSubject)
      this.done.push(order)
      held.ended.push(order.seq)
    }
    held.closed = true
  }

  async #reportTo(shard: string): Promise<void> {
    const leases = [...this.leases.values()].filter(({ lease }) => lease.shard === shard)
    const rows = leases.map(
      ({ lease, orders, ended, delivered, closed }): LeaseReport => ({
        lease: lease.id,
        ip: lease.ip,
        site: lease.site,
        pool: lease.pool,
        open: closed ? 0 : 1,
        lingering: 0,
        queued: orders.length,
        delivered,
        classes: {},
        lastReply: null,
        rttMs: 1,
        ended,
        rest: null,
        closed,
      }),
    )
    const answer = await this.#bus.ask(
      subject('report', { shard }),
      encode({ sender: this.id, tick: performance.now(), sessionsFree: 50, leases: rows } satisfies Report),
      { timeoutMs: 500 },
    )
    // Not answered: perhaps not heard, so the next report says it again.
    if (answer.kind !== 'answer') return
    for (const { lease, closed, ended, delivered } of rows) {
      const held = this.leases.get(lease)
      if (held === undefined) continue
      held.ended = held.ended.filter((seq) => !ended.includes(seq))
      held.delivered -= delivered
      if (closed) this.leases.delete(lease)
    }
    const told = decode<ReportAnswer>(answer.body)
    this.answers.push(told)
    for (const id of told.end) this.#end(id)
  }
}
