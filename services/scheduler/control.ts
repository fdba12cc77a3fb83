import { KEYS } from '../../protocol/buckets.ts'
import { CampaignControl } from '../../protocol/messages/ops.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { CampaignHeld } from '../../protocol/messages/permission.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { problemsOf } from '../../protocol/campaign.ts'
import { campaignName } from '../../protocol/ids.ts'
import type { Order } from '../../protocol/messages/mail.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { CampaignState, EpochMs } from '../../protocol/words.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Bucket } from '../runtime/kv.ts'
import type { Log } from '../runtime/log.ts'
import { type Campaigns, ENDED, type Running } from './campaigns.ts'
import type { CampaignEvents } from './events.ts'
import { EVERYWHERE, heldKeyOf, holdAt, lifted, resumingSites, withHold, withoutResuming } from './policy/site-holds.ts'
import type { Releaser } from './releaser.ts'
import { statusOf } from './status.ts'

export interface ControlOptions {
  readonly bus: Bus
  readonly bucket: Bucket
  readonly log: Log
  readonly campaigns: Campaigns
  readonly events: CampaignEvents
  readonly releaser: Releaser
  readonly now: () => EpochMs
  /** a person lets it go on at these sites */
  readonly onLifted: (running: Running, sites: readonly string[]) => void
  /** why nobody can let it go on now where it is held everywhere; null = anybody can */
  readonly whyHeld: (running: Running) => string | null
  /** what was not released is to be written off; asked again while the campaign is cancelling */
  readonly onCancelling: (running: Running) => void
  /** perhaps there is nothing left to wait for */
  readonly onChanged: (running: Running) => void
}

/** `ok` says that the state is durable: release has stopped, and senders let go of the mail as soon as they see the held key (≤ 2 s). */
export type ControlAnswer =
  | { readonly ok: true; readonly state: CampaignState }
  | { readonly error: { readonly code: string; readonly message: string; readonly problems?: readonly object[] } }

/** pause, resume, cancel. Each is a state of the record first; what waits or travels is then brought to agree with it. */
export class Control {
  readonly #options: ControlOptions
  readonly #turns = new WeakMap<Running, Promise<void>>()

  constructor(options: ControlOptions) {
    this.#options = options
  }

  async apply(tenant: string, id: string, body: unknown): Promise<ControlAnswer> {
    const { campaigns } = this.#options
    const read = CampaignControl.safeParse(body)
    if (!read.success) return { error: { code: 'bad-request', message: 'the action is pause, resume or cancel', problems: problemsOf(read.error) } }
    const running = campaigns.get(tenant, id)
    if (!running) {
      const record = await campaigns.lookUp(tenant, id)
      if (!record) return { error: { code: 'unknown-campaign', message: `there is no campaign ${campaignName({ tenant, id })}` } }
      return ended(record, read.data.action)
    }
    return this.#inTurn(running, async () => {
      if (ENDED.has(running.record.state)) return ended(running.record, read.data.action)
      const { action, site } = read.data
      switch (action) {
        case 'pause':
          return site === undefined ? this.#pause(running) : this.#pauseAt(running, site, 'paused', 'by hand')
        case 'resume':
          return this.#whyNot(running, site) ?? (site === undefined ? this.#resume(running) : this.#resumeAt(running, [site]))
        case 'cancel':
          return this.#cancel(running)
      }
    })
  }

  /** A breaker: the campaign stops at this site until a person lets it go on (delivery.md §7). `EVERYWHERE`: until `goOnAt` as well. */
  stopAt(running: Running, site: string, because: string, says: string): Promise<void> {
    return this.#inTurn(running, async () => {
      if (!ENDED.has(running.record.state)) await this.#pauseAt(running, site, because, says)
    })
  }

  /** What held it there is over. */
  goOnAt(running: Running, site: string): Promise<void> {
    return this.#inTurn(running, async () => {
      if (!ENDED.has(running.record.state)) await this.#resumeAt(running, [site])
    })
  }

  /** What a restart or a lost answer left undone: held keys say what the records say, and a resume is finished. */
  pickUp(running: Running): Promise<void> {
    return this.#inTurn(running, async () => {
      const { state, before } = running.record
      if (state === 'paused') await this.#tellSenders(running)
      else if (state === 'cancelling') await this.#cancel(running)
      else if (before !== null) await this.#goOn(running)
      else if (heldKeyOf(running.record) !== null) await this.#tellSenders(running)
      if (state !== 'cancelling' && resumingSites(running.record).length > 0) await this.#goOnAt(running)
    })
  }

  /** Held keys of campaigns that are neither paused nor cancelling: senders would refuse their mail for ever. */
  async dropStrayHolds(): Promise<void> {
    const { bucket, campaigns } = this.#options
    for (const key of await bucket.keys(KEYS.allHeld)) {
      const [, tenant = '', id = ''] = key.split('.')
      const record = campaigns.get(tenant, id)?.record
      if (record === undefined || heldKeyOf(record) === null) await bucket.remove(key)
    }
  }

  #whyNot(running: Running, site: string | undefined): ControlAnswer | null {
    if (running.record.heldSites?.[EVERYWHERE] === undefined || (site !== undefined && site !== EVERYWHERE)) return null
    const message = this.#options.whyHeld(running)
    return message === null ? null : { error: { code: 'held', message } }
  }

  // Each step may be all that was done before a crash or a lost answer: asked again, an action does the others.
  async #pause(running: Running): Promise<ControlAnswer> {
    const { state } = running.record
    if (state === 'cancelling') return refused(running, 'pause')
    if (state !== 'paused') await this.#options.campaigns.change(running, { state: 'paused', before: state })
    await this.#tellSenders(running)
    if (state !== 'paused') await this.#tell('paused', running)
    return { ok: true, state: 'paused' }
  }

  async #resume(running: Running): Promise<ControlAnswer> {
    const { state, before } = running.record
    if (state === 'cancelling') return refused(running, 'resume')
    const sites = Object.keys(running.record.heldSites ?? {})
    if (sites.length > 0) await this.#resumeAt(running, sites)
    if (state !== 'paused' && before === null) return { ok: true, state }
    if (state === 'paused') {
      const back = before === 'counting' && running.expansion.done ? 'running' : (before ?? 'running')
      await this.#options.campaigns.change(running, { state: back, before: back })
    }
    await this.#goOn(running)
    await this.#tell('resumed', running)
    return { ok: true, state: running.record.state }
  }

  async #pauseAt(running: Running, site: string, because: string, says: string): Promise<ControlAnswer> {
    const { record } = running
    if (record.state === 'cancelling') return refused(running, 'pause')
    if (holdAt(record, site) === null) {
      await this.#options.campaigns.change(running, { heldSites: withHold(record, site, because, says, this.#options.now()) })
      await this.#tellSenders(running)
      await this.#tell('paused', running, { ...siteOf(site), because: says })
    } else await this.#tellSenders(running)
    return { ok: true, state: running.record.state }
  }

  async #resumeAt(running: Running, sites: readonly string[]): Promise<ControlAnswer> {
    const { record } = running
    if (record.state === 'cancelling') return refused(running, 'resume')
    const known = sites.filter((site) => record.heldSites?.[site] !== undefined)
    if (known.length === 0) return { ok: true, state: record.state }
    this.#options.onLifted(
      running,
      known.filter((site) => site !== EVERYWHERE),
    )
    await this.#options.campaigns.change(running, { heldSites: lifted(record, known) })
    await this.#goOnAt(running)
    for (const site of known) await this.#tell('resumed', running, siteOf(site))
    return { ok: true, state: running.record.state }
  }

  async #goOnAt(running: Running): Promise<void> {
    const sites = resumingSites(running.record)
    await this.#tellSenders(running)
    await this.#fireWaiting(running, (order) => order.parked === true && (sites.includes(EVERYWHERE) || sites.includes(order.site)))
    await this.#options.campaigns.change(running, { heldSites: withoutResuming(running.record) })
    this.#options.releaser.look()
  }

  async #goOn(running: Running): Promise<void> {
    await this.#tellSenders(running)
    await this.#fireWaiting(running, (order) => order.parked === true && holdAt(running.record, order.site) === null)
    await this.#options.campaigns.change(running, { before: null })
    this.#options.releaser.look()
  }

  async #cancel(running: Running): Promise<ControlAnswer> {
    if (running.record.state !== 'cancelling') await this.#options.campaigns.change(running, { state: 'cancelling', before: null })
    await this.#tellSenders(running)
    await this.#sweepCancelled(running)
    return { ok: true, state: running.record.state }
  }

  /** Brings home what a cancelling campaign has waiting; also after a restart, and again while anything waits: a mail that was on its way may be deferred later. */
  async #sweepCancelled(running: Running): Promise<void> {
    this.#options.onCancelling(running)
    await this.#fireWaiting(running, () => true)
    this.#options.onChanged(running)
  }

  /** One action at a time: a pause that begins in the middle of a resume must find it ended. */
  #inTurn<T>(running: Running, act: () => Promise<T>): Promise<T> {
    const mine = (this.#turns.get(running) ?? Promise.resolve()).then(act)
    this.#turns.set(
      running,
      mine.then(
        () => {},
        () => {},
      ),
    )
    return mine
  }

  /** The key that every sender watches says what the record says. */
  async #tellSenders({ record }: Running): Promise<void> {
    const { bucket } = this.#options
    const key = KEYS.held(record.tenant, record.id)
    const held = heldKeyOf(record)
    if (held === null) await bucket.remove(key)
    else await bucket.put(key, encode(held))
    this.#say(record, held?.state ?? 'running')
  }

  /** Waiting orders of the campaign come due now: published to `due` first, then taken off the schedule; a twin is refused at the claim. */
  async #fireWaiting({ record }: Running, which: (order: Order) => boolean): Promise<void> {
    const { bus, log } = this.#options
    const own = wildcard('laterRetry', { tenant: record.tenant, campaign: record.id })
    let fired = 0
    for (const filter of [own, wildcard('laterRest')]) {
      for await (const message of bus.scan(STREAM.mail, filter)) {
        const order = decode<Order>(message.body)
        if (order.tenant !== record.tenant || order.campaign !== record.id || !which(order)) continue
        const stored = await bus.store(subject('due', { lane: order.lane }), encode(order))
        if (stored.kind === 'refused') throw new Infrastructure('unavailable', `an order that waited was refused: ${stored.message}`)
        await bus.remove(STREAM.mail, message.seq)
        fired++
      }
    }
    if (fired > 0) log.info('waiting orders fired', { campaign: campaignName(record), orders: fired })
  }

  #say(record: Running['record'], state: CampaignHeld['state']): void {
    this.#options.bus.say(subject('campaignHeld', {}), encode({ tenant: record.tenant, campaign: record.id, state } satisfies CampaignHeld))
  }

  async #tell(type: 'paused' | 'resumed', running: Running, at: { readonly site?: string; readonly because?: string } = {}): Promise<void> {
    const { events, releaser } = this.#options
    await events.changed(type, statusOf(running, releaser), running.record.job, [], at)
  }
}

const siteOf = (site: string): { readonly site?: string } => (site === EVERYWHERE ? {} : { site })

function ended(record: CampaignRecord, action: string): ControlAnswer {
  return { error: { code: 'ended', message: `${campaignName(record)} is ${record.state}; ${action} changes nothing any more` } }
}

function refused(running: Running, action: string): ControlAnswer {
  return { error: { code: 'ending', message: `${campaignName(running.record)} is ${running.record.state}; it cannot ${action} any more` } }
}
