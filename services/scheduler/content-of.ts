import { OBJECT_BUCKET } from '../../protocol/buckets.ts'
import type { CampaignContent, CampaignRecord } from '../../protocol/messages/campaign.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { ObjectError, openObjects } from '../runtime/objects.ts'

/** What all mails of a campaign share. Throws ObjectError when it is not there. */
export async function contentOf(bus: Bus, { content }: Pick<CampaignRecord, 'content'>): Promise<CampaignContent> {
  const objects = openObjects(bus, OBJECT_BUCKET)
  const pin = await objects.head(content)
  if (pin === null) throw new ObjectError('missing', `the content ${content} is not in the object store`)
  const chunks: Uint8Array[] = []
  for await (const chunk of objects.read(pin)) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as CampaignContent
}
