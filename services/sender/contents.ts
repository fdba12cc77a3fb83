import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { Batch } from '../../protocol/messages/mail.ts'
import type { CampaignContent } from '../../protocol/messages/campaign.ts'
import { prepareContent, type Prepared } from '../content/compose.ts'
import { chooseKeys, chooseShownKeys, type DkimKey, dkimRowsOf, loadDkimKeys } from '../content/dkim-keys.ts'
import type { Signer } from '../content/signer.ts'
import { pooledSlabs } from '../content/slabs.ts'
import { encodeReturnPath, messageId } from '../content/verp.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { openObjects } from '../runtime/objects.ts'
import { openTenantObjects } from '../runtime/tenant-objects.ts'
import type { Mail } from './smtp/types.ts'

/** Campaigns whose content is kept ready; each holds its attachments once, so the bound is by number, not by bytes of mail. */
const CAMPAIGNS_KEPT = 64

export type RenderedMail = { readonly kind: 'mail'; readonly mail: Mail } | { readonly kind: 'unusable'; readonly because: string }

interface Ready {
  readonly content: CampaignContent
  readonly prepared: Prepared
  readonly keys: readonly DkimKey[]
}

/** From a batch and a recipient's number to the mail's bytes: content fetched and prepared once per campaign, the same bytes at every attempt. */
export class Contents {
  readonly #bus: Bus
  readonly #fleet: () => FleetRecord | null
  readonly #sign: Signer
  readonly #slabs = pooledSlabs()
  readonly #ready = new Map<string, Promise<Ready | { readonly because: string }>>()
  #gone: ReadonlySet<string> = new Set()
  #keys: { readonly revision: number; readonly keys: readonly DkimKey[] } | null = null

  constructor(options: { bus: Bus; fleet: () => FleetRecord | null; sign: Signer }) {
    this.#bus = options.bus
    this.#fleet = options.fleet
    this.#sign = options.sign
  }

  async render(batch: Batch, batchSeq: number, n: number): Promise<RenderedMail> {
    const recipient = batch.recipients[n]
    const record = this.#fleet()
    const tenant = record?.fleet.tenant.find(({ name }) => name === batch.tenant)
    if (!recipient || !record || !tenant) return { kind: 'unusable', because: `tenant ${batch.tenant} is not in the fleet` }
    const ready = await this.#of(batch, record)
    if ('because' in ready) return { kind: 'unusable', because: ready.because }
    const { content, prepared, keys } = ready
    const place = { tenant: batch.tenant, campaign: batch.campaign, batch: batchSeq, n }
    const { name, ref, vars, address } = recipient
    const rendered = await prepared.render(
      { address, ...(name !== null && { name }), ...(ref !== null && { ref }), ...(vars !== null && { vars: { ...vars } }) },
      {
        date: content.date,
        messageId: messageId({ ...place, address, domain: prepared.fromDomain }),
        returnPath: encodeReturnPath({ ...place, address, secret: record.secret, domain: tenant.return_path }),
        keys,
        sign: this.#sign,
        slabs: this.#slabs,
      },
    )
    if (rendered.kind === 'no-mail') return { kind: 'unusable', because: `${rendered.path || 'mail'}: ${rendered.message}` }
    const { from, rcpt, chunks, spare, smtputf8, sizeBytes, release } = rendered.mail
    return { kind: 'mail', mail: { from, rcpts: [rcpt], smtputf8, size: sizeBytes, body: chunks, spare, release } }
  }

  /** Another fleet may sign with other keys: what was prepared is prepared again. */
  forget(): void {
    this.#ready.clear()
  }

  /** Keys that DNS does not show (`keyId`): the others sign. */
  without(gone: ReadonlySet<string>): void {
    if (gone.size === this.#gone.size && [...gone].every((id) => this.#gone.has(id))) return
    this.#gone = gone
    this.forget()
  }

  #of(batch: Batch, record: FleetRecord): Promise<Ready | { because: string }> {
    const known = this.#ready.get(batch.content)
    if (known) {
      this.#ready.delete(batch.content)
      this.#ready.set(batch.content, known)
      return known
    }
    const loading = this.#load(batch, record)
    this.#ready.set(batch.content, loading)
    // A failure of NATS is not remembered: the next recipient tries again.
    loading.catch(() => this.#ready.delete(batch.content))
    if (this.#ready.size > CAMPAIGNS_KEPT) {
      const oldest = this.#ready.keys().next()
      if (!oldest.done) this.#ready.delete(oldest.value)
    }
    return loading
  }

  async #load(batch: Batch, record: FleetRecord): Promise<Ready | { because: string }> {
    const bytes = await whole(openObjects(this.#bus, OBJECT_BUCKET).read(batch.content))
    const content = JSON.parse(new TextDecoder().decode(bytes)) as CampaignContent
    const attachments = new Map<string, Uint8Array>()
    const objects = openTenantObjects(
      this.#bus,
      batch.tenant,
      record.fleet.tenant.map(({ name }) => name),
    )
    for (const { object } of content.content.attachments ?? []) attachments.set(object, await whole(objects.read(object)))
    const tenant = record.fleet.tenant.find(({ name }) => name === batch.tenant)
    const prepared = prepareContent(content.content, {
      tenant: batch.tenant,
      campaign: batch.campaign,
      kind: batch.kind,
      missing: content.missing,
      ...(tenant?.feedback_id && { feedbackId: tenant.feedback_id }),
      attachments,
    })
    if ('problems' in prepared) return { because: prepared.problems.map(({ path, message }) => `${path}: ${message}`).join('; ') }
    const all = this.#keysOf(record)
    const question = { tenant: batch.tenant, fromDomain: prepared.fromDomain, at: content.date }
    const shown = chooseShownKeys(all, question, this.#gone)
    // With no RSA key left the campaign is being held; what is in hand in that moment goes signed as before, never unsigned.
    const keys = shown.length > 0 ? shown : chooseKeys(all, question)
    return { content, prepared, keys }
  }

  #keysOf(record: FleetRecord): readonly DkimKey[] {
    if (this.#keys?.revision !== record.revision) {
      // What `fleet.apply` let in has no problems; a key that cannot be loaded is never skipped silently (delivery.md §10).
      const { keys, problems } = loadDkimKeys(dkimRowsOf(record.fleet))
      if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '))
      this.#keys = { revision: record.revision, keys }
    }
    return this.#keys.keys
  }
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of pieces) chunks.push(chunk)
  return Buffer.concat(chunks)
}
