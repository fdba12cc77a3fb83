/** Every fact this actor tells, each with its one line in the log. Mode changes are also `ip.events`, what stops or resumes lending also `ip-manager.changed`. */
import { encode, encodeJson } from '../../protocol/codec.ts'
import { rfc3339 } from '../../protocol/duration.ts'
import type { IpEvent } from '../../protocol/messages/ops.ts'
import type { SourceChanged } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'
import { token } from '../../protocol/tokens.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { Infrastructure, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Counters } from './gauges.ts'
import type { Say } from './policy/says.ts'

/** Events that wait for the stream: it is the log of record, but not what mail depends on. */
const WAITING_MOST = 10_000

export class Events implements AsyncDisposable {
  readonly #bus: Bus
  readonly #log: Log
  readonly #epoch: number
  readonly #counters: Counters
  readonly #waiting: IpEvent[] = []
  #storing: Promise<void> | null = null
  #stopping = false

  constructor(options: { bus: Bus; log: Log; epoch: number; counters: Counters }) {
    this.#bus = options.bus
    this.#log = options.log
    this.#epoch = options.epoch
    this.#counters = options.counters
  }

  tell(says: readonly Say[]): void {
    for (const say of says) {
      switch (say.say) {
        case 'changed':
          this.#changed(say)
          break
        case 'mode':
          this.#mode(say)
          break
        case 'pool':
          this.#log.info(say.rests ? 'pool-rested' : 'pool-resumed', { pool: say.pool, site: say.site, because: say.because, until: time(say.until) })
          break
        case 'trouble':
          this.#log.warn('ip-trouble', { ip: say.ip, because: say.because, detail: say.detail })
          break
        case 'listing':
          this.#log[say.listed ? 'warn' : 'info'](say.listed ? 'dnsbl-listed' : 'dnsbl-delisted', {
            ip: say.ip,
            zone: say.zone,
            ...(say.code !== null && { code: say.code }),
            quarantines: say.quarantines,
          })
          break
        case 'zone':
          if (say.disbelieved === null) this.#log.info('dnsbl-believed', { zone: say.zone })
          else this.#log.warn('dnsbl-disbelieved', { zone: say.zone, because: say.disbelieved })
          break
        default:
          say satisfies never
      }
    }
  }

  owned(fields: { position: number; ips: number; pairs: number }): void {
    this.#log.info('owned', { epoch: this.#epoch, ...fields })
  }
  caughtUp(fields: { position: number; ms: number }): void {
    this.#log.info('caught-up', fields)
  }
  ordered(fields: { ip: string; action: string; because: string; mode: string; until: string | null }): void {
    this.#log.info('ordered', fields)
  }
  fleetApplied(fields: { revision: number; ips: number; tenants: number; warnings: number }): void {
    this.#log.info('fleet-applied', fields)
  }
  fleetRefused(fields: { problems: number; first: string }): void {
    this.#log.warn('fleet-refused', fields)
  }
  unreadable(fields: { seq: number; subject: string; because: string }): void {
    this.#counters.unreadable()
    this.#log.warn('outcomes-unreadable', fields)
  }

  /** What waits is stored, as long as the server takes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true
    await this.#storing
  }

  #changed({ ip, site, lends, because, until }: Extract<Say, { say: 'changed' }>): void {
    const change: SourceChanged = { epoch: this.#epoch, ip, site, lends, because, until }
    this.#bus.say(subject('sourceChanged', {}), encode(change))
    this.#log.info(lends ? 'source-resumed' : 'source-stopped', { ip, site, because, until: time(until) })
  }

  #mode({ ip, site, from, to, because, until, at, reply }: Extract<Say, { say: 'mode' }>): void {
    this.#log.info('mode-changed', { ip, site, from, to, because, until: time(until), ...(reply !== null && { reply }) })
    this.#counters.modeChanged(to)
    if (this.#waiting.length === WAITING_MOST) return this.#log.warn('event-dropped', { ip, site, to })
    this.#waiting.push({ address: ip, site, from, to, because, until: time(until), at: rfc3339(at), ...(reply !== null && { reply }) })
    this.#storing ??= this.#store().finally(() => {
      this.#storing = null
    })
  }

  /** One after another, so that they stand in the order in which they happened. */
  async #store(): Promise<void> {
    for (let event = this.#waiting[0]; event !== undefined; event = this.#waiting[0]) {
      // What a new owner finds out again from the same outcomes is told once.
      const msgId = [event.address, event.site, event.to, event.at].join(' ')
      try {
        await this.#bus.store(subject('ipEvent', { address: token(event.address) }), encodeJson(event), { msgId })
        this.#waiting.shift()
      } catch (error) {
        if (!(error instanceof Infrastructure)) throw error
        if (this.#stopping || error.code === 'closed') return
        this.#log.debug('event-delayed', { because: error.message })
        await new Promise((resolve) => setTimeout(resolve, RETRY_PACE_MS[(error as Infrastructure).code]))
      }
    }
  }
}

function time(at: number | null): string | null {
  return at === null ? null : rfc3339(at)
}
