import { KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import type { CampaignRecord } from '../../protocol/messages/campaign.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../runtime/bus/types.ts'
import type { Bucket } from '../runtime/kv.ts'
import { openObjects } from '../runtime/objects.ts'
import type { CampaignEvents } from './events.ts'
import { statusOfRecord } from './status.ts'

export interface BurialTools {
  readonly bus: Bus
  /** `campaigns` */
  readonly bucket: Bucket
  readonly events: CampaignEvents
}

/** Tells a campaign's end and clears away what is left of it. Its job goes last: where that still stands, a scheduler died in the middle, and the next one does it all again. */
export async function bury(record: CampaignRecord, { bus, bucket, events }: BurialTools): Promise<void> {
  const { tenant, id, job, content, state, problems } = record
  if (state === 'finished' || state === 'cancelled') await events.changed(state, statusOfRecord(record), job, problems)
  const names = { tenant, campaign: id }
  await bus.purge(STREAM.mail, subject('expansionCursor', names))
  for (const row of ['releaseCursor', 'batch', 'laterRetry'] as const) await bus.purge(STREAM.mail, wildcard(row, names))
  await openObjects(bus, OBJECT_BUCKET).remove(content)
  await bucket.remove(KEYS.held(tenant, id))
  await bus.remove(STREAM.jobs, job)
}

/** Did somebody die between its end and its burial? A rejected job whose content was never written has nothing to bury. */
export async function isUnburied({ content, job }: CampaignRecord, bus: Bus): Promise<boolean> {
  return content !== '' && (await bus.readSeq(STREAM.jobs, job)) !== null
}
