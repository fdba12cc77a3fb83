import { setTimeout as pause } from 'node:timers/promises'
import { campaignName } from '../../protocol/ids.ts'
import type { Feedback } from '../../protocol/messages/ops.ts'
import type { Outcome, OutcomeChunk } from '../../protocol/outcome.ts'
import { STREAM } from '../../protocol/streams.ts'
import { readSubject, subject, wildcard } from '../../protocol/subjects.ts'
import { campaignTag, decodeReturnPath, isWhom, type ReturnPathKey } from '../content/verp.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Campaigns } from './campaigns.ts'
import type { Concerned, Heard } from './policy/feedback.ts'

export interface Placed {
  readonly heard: Heard
  readonly concerned: Concerned
}

const NOBODY: Concerned = { campaign: null, rcpt: null, site: null, ip: null, list: null }
/** A tenant's campaigns are read anew for a tag that none of them has, but not more often: a flood of forged tags must cost nothing. */
const READ_AGAIN_MS = 60_000
const GATHERED_MS = 20

/**
 * Whom what came back speaks of: by its return path in the journal, and where that has aged out (72 h) by the campaigns' records, which are remembered
 * for 30 days. Everything is looked for under the tenant's own names, so another's return path is found by nobody else.
 */
export class FeedbackPlaces {
  readonly #bus: Bus
  readonly #campaigns: Campaigns
  readonly #secret: () => string
  readonly #now: () => number
  readonly #readings = new Map<string, RefReading>()
  readonly #tags = new Map<string, { readonly at: number; readonly byTag: ReadonlyMap<string, string> }>()

  constructor(options: { bus: Bus; campaigns: Campaigns; secret: () => string; now: () => number }) {
    this.#bus = options.bus
    this.#campaigns = options.campaigns
    this.#secret = options.secret
    this.#now = options.now
  }

  async of(tenant: string, feedback: Feedback): Promise<Placed> {
    if (feedback.token === undefined) return this.#byWord(tenant, feedback)
    const key = decodeReturnPath(this.#secret(), feedback.token)
    if (key === null) return { heard: 'forged', concerned: NOBODY }
    const campaign = (await this.#campaignOfBatch(tenant, key)) ?? (await this.#campaignOfTag(tenant, key.campaignTag))
    if (campaign === null) return { heard: 'foreign', concerned: NOBODY }
    const outcome = await this.#outcomeOf(tenant, campaign, key)
    // The report may name where the mail was forwarded to; whom we wrote to is who asked for it.
    const named = feedback.rcpt !== undefined && isWhom(key, feedback.rcpt) ? feedback.rcpt : null
    return { heard: 'taken', concerned: await this.#concerned(tenant, campaign, outcome, outcome?.rcpt ?? named) }
  }

  /** Without a return path the tenant itself says whom it means, as it may with `suppression.<tenant>`. */
  async #byWord(tenant: string, { campaign, rcpt, ref }: Feedback): Promise<Placed> {
    const known = campaign !== undefined && (await this.#campaigns.lookUp(tenant, campaign)) !== null ? campaign : null
    if (rcpt !== undefined) return { heard: 'taken', concerned: await this.#concerned(tenant, known, null, rcpt) }
    const outcome = ref === undefined || known === null ? null : await this.#outcomeOfRef(tenant, known, ref)
    if (outcome === null) return { heard: 'unplaced', concerned: NOBODY }
    return { heard: 'taken', concerned: await this.#concerned(tenant, known, outcome, outcome.rcpt) }
  }

  async #concerned(tenant: string, campaign: string | null, outcome: Outcome | null, rcpt: string | null): Promise<Concerned> {
    const record = campaign === null ? null : await this.#campaigns.lookUp(tenant, campaign)
    return { campaign: record && campaign, rcpt, site: outcome?.site ?? null, ip: outcome?.ip ?? null, list: record?.listId ?? null }
  }

  async #campaignOfBatch(tenant: string, { batch, campaignTag: tag }: ReturnPathKey): Promise<string | null> {
    const claim = await this.#bus.readLast(STREAM.outcomes, wildcard('claim', { tenant, batch }))
    const campaign = claim && readSubject('claim', claim.subject)?.campaign
    return campaign && campaignTag({ tenant, campaign }) === tag ? campaign : null
  }

  async #campaignOfTag(tenant: string, tag: string): Promise<string | null> {
    const known = this.#tags.get(tenant)
    const found = known?.byTag.get(tag)
    if (found !== undefined || (known !== undefined && this.#now() - known.at < READ_AGAIN_MS)) return found ?? null
    const byTag = new Map<string, string>()
    for (const campaign of await this.#campaigns.idsOf(tenant)) byTag.set(campaignTag({ tenant, campaign }), campaign)
    this.#tags.set(tenant, { at: this.#now(), byTag })
    return byTag.get(tag) ?? null
  }

  /** What the journal says last of a recipient; null when it has aged out. */
  async #outcomeOf(tenant: string, campaign: string, { batch, n }: ReturnPathKey): Promise<Outcome | null> {
    let last: Outcome | null = null
    for await (const { body } of this.#bus.scan(STREAM.outcomes, subject('outcome', { tenant, campaign, batch })))
      last = chunkOf(body).outcomes.findLast((one) => one.n === n) ?? last
    return last
  }

  /** Only a reading of the campaign's whole journal finds a `ref`, so all that are asked for within a moment share one. */
  async #outcomeOfRef(tenant: string, campaign: string, ref: string): Promise<Outcome | null> {
    const name = `${tenant}/${campaign}`
    const reading = this.#readings.get(name) ?? this.#readLater(tenant, campaign, name)
    reading.found.set(ref, null)
    await reading.done
    return reading.found.get(ref) ?? null
  }

  #readLater(tenant: string, campaign: string, name: string): RefReading {
    const found = new Map<string, Outcome | null>()
    const done = pause(GATHERED_MS).then(async () => {
      this.#readings.delete(name)
      for await (const { body } of this.#bus.scan(STREAM.outcomes, wildcard('outcome', { tenant, campaign })))
        for (const outcome of chunkOf(body).outcomes) if (outcome.ref !== null && found.has(outcome.ref)) found.set(outcome.ref, outcome)
    })
    const reading = { found, done }
    this.#readings.set(name, reading)
    return reading
  }
}

/** One reading of a campaign's journal, for these refs. */
interface RefReading {
  readonly found: Map<string, Outcome | null>
  readonly done: Promise<void>
}

function chunkOf(body: Uint8Array): OutcomeChunk {
  return JSON.parse(new TextDecoder().decode(body)) as OutcomeChunk
}

/** For the log. */
export function shownCampaign(tenant: string, campaign: string | null): string | null {
  return campaign === null ? null : campaignName({ tenant, id: campaign })
}
