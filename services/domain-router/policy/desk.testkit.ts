/** One shard at a desk: every message is handed to it by the test, time is given, nothing happens by itself. */
import type { HeldOrder, Order } from '../../../protocol/messages/mail.ts'
import type { Allowance, Grant, GrantAnswer, LeaseReport, ReportAnswer } from '../../../protocol/messages/permission.ts'
import { newShard, type Shard } from '../state.ts'
import { violations } from './figures.ts'
import type { Heard, RouterEvent, Say } from './messages.ts'
import { networkOf } from './network.ts'
import { HEAR_ALL_MS } from './numbers.ts'
import { receive } from './receive.ts'

export const WALL = Date.UTC(2026, 10, 24, 8)
export const SITE = 'example.jp'

interface DeskOptions {
  readonly sources?: readonly { readonly address: string; readonly pool: string }[]
  readonly senders?: Readonly<Record<string, number>>
  readonly isp?: object
}

export class Desk {
  mono = 10_000
  readonly shard: Shard
  said: Say[] = []
  dice = 0.5
  /** what is to be saved is saved at once */
  saves = true
  readonly #sources: readonly { readonly address: string; readonly pool: string }[]
  readonly #senders: Readonly<Record<string, number>>
  #seq = 0

  constructor({ sources = [{ address: '192.0.2.1', pool: 'p' }], senders = { s1: 50 }, isp = {} }: DeskOptions = {}) {
    this.#sources = sources
    this.#senders = senders
    const ip = sources.map(({ address, pool }) => ({ address, pool, ehlo: 'mx.hato.example', egress: 'bind' }))
    this.shard = newShard(
      't00',
      'r1',
      new Map(),
      networkOf({ ip, isp: [{ name: 'tail', sessions_per_ip: 8, sessions_start: 4, mails_per_second: 20, ...isp }] }),
    )
    this.tell({ on: 'gained', epoch: 7, memory: { v: 1, actions: [], pairs: [], holders: Object.keys(senders) } })
    this.here()
    for (const sender of Object.keys(senders)) this.tell({ on: 'holdingsAnswered', holdings: { sender, tick: this.mono, sessionsFree: 50, leases: [] } })
    this.pass(HEAR_ALL_MS + 1)
    this.said = []
  }

  tell(heard: Heard): Say[] {
    const at = { now: WALL + this.mono, mono: this.mono, dice: () => this.dice, mayGrant: true }
    const { say } = receive(this.shard, heard, at)
    const broken = violations(this.shard)
    if (broken.length > 0) throw new Error(broken.join('; '))
    this.said.push(...say)
    if (this.saves) for (const said of say) if (said.say === 'save' && heard.on !== 'released') this.tell({ on: 'saved', holders: said.memory.holders })
    return say
  }

  /** Senders say that they are here, then time passes. */
  pass(ms: number): Say[] {
    this.mono += ms
    this.here()
    return this.tell({ on: 'tick' })
  }

  here(stopping: readonly string[] = []): void {
    for (const [sender, sessionsFree] of Object.entries(this.#senders)) {
      this.tell({
        on: 'senderHere',
        here: { sender, tick: this.mono, sessionsFree, ips: this.#sources.map(({ address }) => address), stopping: stopping.includes(sender) },
      })
    }
  }

  /** The ip-manager's answer for what is asked now, or was asked at `tick`. */
  allow(changes: Partial<Allowance> = {}, only: (ip: string) => boolean = () => true, tick = this.mono): void {
    const sites = [...this.shard.sites.keys()].map((site) => ({ site, provider: null, pools: [...new Set(this.#sources.map(({ pool }) => pool))] }))
    const allowances = sites.flatMap(({ site }) =>
      this.#sources.map(({ address: ip, pool }) => {
        const usual: Allowance = {
          ip,
          site,
          pool,
          mode: 'steady',
          ipMode: 'serving',
          lends: true,
          sessions: 100,
          pacePerS: 1_000,
          budget: null,
          because: '',
          until: null,
        }
        return only(ip) ? { ...usual, ...changes } : usual
      }),
    )
    this.tell({ on: 'allowances', allowances: { epoch: 1, tick, ms: 4_000, allowances }, asked: sites })
  }

  order(more: Partial<Order> = {}): HeldOrder {
    const seq = ++this.#seq
    const order: Order = {
      v: 1,
      tenant: 'acme',
      campaign: 'c1',
      kind: 'marketing',
      lane: 'bulk',
      site: SITE,
      provider: null,
      pool: 'p',
      batch: seq,
      mask: new Uint8Array(13),
      count: 10,
      attempt: 0,
      deadline: WALL + 86_400_000,
      ...more,
    }
    return { order, seq, ackSubject: `ack.${seq}` }
  }

  arrive(...orders: readonly HeldOrder[]): Say[] {
    return this.tell({ on: 'ordersArrived', orders })
  }

  /** Grants said since the last look, each accepted. */
  accept(): Grant[] {
    const grants = this.take('grant').map(({ grant }) => grant)
    for (const grant of grants) this.answer(grant, { kind: 'accepted' })
    return grants
  }

  /** The sender's word on a grant, however late. */
  answer({ lease, orders }: Grant, answer: GrantAnswer): void {
    this.tell({ on: 'grantAnswered', lease: lease.id, orders, answer })
  }

  /** None will come: its connection broke, or the time for it is over. */
  unanswered({ lease, orders }: Grant): void {
    this.tell({ on: 'grantTimedOut', lease: lease.id, orders })
  }

  take<K extends Say['say']>(kind: K): Extract<Say, { say: K }>[] {
    const found = this.said.filter((said): said is Extract<Say, { say: K }> => said.say === kind)
    this.said = this.said.filter((said) => said.say !== kind)
    return found
  }

  events(): RouterEvent[] {
    return this.take('event').map(({ event }) => event)
  }

  report(grant: Grant, more: Partial<LeaseReport> = {}, sender = 's1', sessionsFree = 40): ReportAnswer {
    const { id: lease, ip, site, pool } = grant.lease
    const row: LeaseReport = {
      lease,
      ip,
      site,
      pool,
      open: 1,
      lingering: 0,
      queued: 0,
      delivered: 0,
      classes: {},
      lastReply: null,
      rttMs: 5,
      ended: [],
      rest: null,
      closed: false,
      ...more,
    }
    this.tell({ on: 'report', report: { sender, tick: this.mono, sessionsFree, leases: [row] } })
    return this.take('answerReport').at(-1)?.answer as ReportAnswer
  }
}

export function seqs(grants: readonly Grant[]): number[] {
  return grants.flatMap(({ orders }) => orders.map(({ seq }) => seq))
}
