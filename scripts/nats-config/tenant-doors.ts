/**
 * A tenant's programs live in an account of their own, and doors lead out of it: each is an export of the cluster's account and an import of
 * the tenant's. A subject without a door does not exist for them, a reply subject of theirs means nothing outside, their inboxes are theirs
 * alone, and every NATS client works there as it comes.
 *
 * From the table: what `publisher` says, with the tenant's name in the place of `{tenant}`; what it hears, live and by a consumer that was made
 * for it. They cannot make consumers: a consumer's maker chooses where it delivers, which may be any subject of the cluster.
 */
import { tenantObjectBucket } from '../../protocol/buckets.ts'
import { CONSUMERS } from '../../protocol/streams.ts'
import { listenerForm, type SubjectRow, SUBJECTS } from '../../protocol/subjects.ts'
import { ACCOUNT_INFO, objectStream } from './jetstream.ts'
import { type Permissions, type Rows, rowsOf, streamsIn } from './permissions.ts'

export interface Door {
  /** service: the tenant says it and is answered · stream: the tenant hears it */
  readonly kind: 'service' | 'stream'
  /** the same on both sides */
  readonly subject: string
  /** one question, many messages */
  readonly answers?: 'many'
}

export function doorsOf(tenant: string, rows: Rows = SUBJECTS): readonly Door[] {
  const { said, heard } = rowsOf('publisher', rows)
  const form = (row: SubjectRow) => ownForm(row, tenant)
  return [
    ...said.map((row) => service(form(row))),
    ...heard.map((row): Door => ({ kind: 'stream', subject: form(row) })),
    ...heard.map((row) => service(`$JS.API.DIRECT.GET.${row.stream}.${form(row)}`)), // the last message of one subject
    ...streamsIn(heard).flatMap((stream) => consumerDoors(stream, CONSUMERS.publisher(tenant))),
    service(ACCOUNT_INFO), // clients ask it first
    ...bucketDoors(tenantObjectBucket(tenant)),
  ]
}

/** The same once more at the tenant's own user, so that what has no door is refused aloud instead of vanishing. */
export function publisherPermissions(doors: readonly Door[]): Permissions {
  const through = (kind: Door['kind']) => doors.filter((door) => door.kind === kind).map((door) => door.subject)
  return { publish: through('service'), subscribe: ['_INBOX.>', ...through('stream')] }
}

/** Throws for a row that would let a tenant speak for others. */
function ownForm({ on }: SubjectRow, tenant: string): string {
  if (!on.split('.').includes('{tenant}')) throw new Error(`"${on}" is a publisher's and does not name the tenant: every tenant could use it for every other`)
  return listenerForm(on, { tenant })
}

function service(subject: string): Door {
  return { kind: 'service', subject }
}

function consumerDoors(stream: string, consumer: string): readonly Door[] {
  return [
    service(`$JS.API.CONSUMER.INFO.${stream}.${consumer}`),
    { ...service(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`), answers: 'many' },
    service(`$JS.ACK.${stream}.${consumer}.>`),
  ]
}

/** All that putting, replacing and removing objects takes. To read them back clients make a consumer, so that they cannot. */
function bucketDoors(bucket: string): readonly Door[] {
  const stream = objectStream(bucket)
  return [
    service(`$O.${bucket}.C.*`),
    service(`$O.${bucket}.M.*`),
    ...['STREAM.INFO', 'STREAM.MSG.GET', 'STREAM.PURGE'].map((ask) => service(`$JS.API.${ask}.${stream}`)),
    { ...service(`$JS.API.DIRECT.GET.${stream}`), answers: 'many' },
    service(`$JS.API.DIRECT.GET.${stream}.>`),
  ]
}
