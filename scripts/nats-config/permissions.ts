/**
 * What each user may publish and subscribe to, from protocol's tables: a row's `says` and `hears`, a stream's `removes`, a bucket's `writes`
 * and `reads`. Nothing is granted that no table says; subjects about JetStream follow from what is read and written.
 *
 * NOTE: inside one account this guards against bugs and careless hands, not against a thief: the server answers to whatever reply subject a
 * request names, and a consumer delivers wherever its maker wants. So tenants are no users of this account (tenant-doors.ts).
 */
import { BUCKETS, OBJECT_BUCKET, OBJECT_RIGHTS, tenantObjectBucket } from '../../protocol/buckets.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { type ActorRole, listenerForm, type Role, type SubjectRow, SUBJECTS } from '../../protocol/subjects.ts'
import { ACCOUNT_INFO, bucketStream, objectReadingOf, objectStream, readingOf, removingOf } from './jetstream.ts'

export interface Permissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}
export type Rows = Readonly<Record<string, SubjectRow>>

export const ACTOR_ROLES = ['scheduler', 'domain-router', 'ip-manager', 'sender'] as const satisfies readonly ActorRole[]

/** Replies to those who ask from this account. */
const INBOXES = '_INBOX.>'
/** Replies to those who ask from a tenant's account: the server gives them such a name. */
const FOREIGN_INBOXES = '_R_.>'
/** `$SRV.PING`, `INFO`, `STATS` (ADR-32). */
const SERVICES = '$SRV.>'

export function actorPermissions(role: ActorRole, tenants: readonly string[], rows: Rows = SUBJECTS): Permissions {
  const { said, heard } = rowsOf(role, rows)
  return {
    publish: unique([
      ...said.map(({ on }) => listenerForm(on)),
      ...streamsIn(heard).flatMap(readingOf),
      ...STREAMS.filter(({ removes }) => includes(removes, role)).flatMap(({ name }) => removingOf(name)),
      ...BUCKETS.flatMap(({ name, writes }) => (writes as Partial<Record<ActorRole, readonly string[]>>)[role]?.map((key) => `$KV.${name}.${key}`) ?? []),
      ...BUCKETS.filter(({ reads }) => includes(reads, role)).flatMap(({ name }) => readingOf(bucketStream(name))),
      ...[OBJECT_BUCKET, ...tenants.map(tenantObjectBucket)].flatMap((bucket) => objectsOf(role, bucket)),
      ACCOUNT_INFO, // how full the store is
      INBOXES,
      ...(heard.some(({ how, says }) => how === 'request' && says.includes('publisher')) ? [FOREIGN_INBOXES] : []),
    ]),
    subscribe: unique([...heard.filter(({ how }) => how !== 'jetstream').map(({ on }) => listenerForm(on)), inboxOf(role), SERVICES]),
  }
}

/**
 * People and their tools: every public row, and JetStream whole, since it is they who repair it. They watch whatever they like; what only actors
 * say they cannot say.
 */
export function opsPermissions(rows: Rows = SUBJECTS): Permissions {
  const { said } = rowsOf('ops', rows)
  return { publish: [...said.map(({ on }) => listenerForm(on)), '$JS.API.>', '$JS.ACK.>', '$JS.FC.>', `$O.${OBJECT_BUCKET}.>`, SERVICES], subscribe: ['>'] }
}

/** Where the answers to a user's own questions come; nobody else's (services/runtime/bus/link.ts asks from there). */
export const inboxOf = (user: string): string => `_INBOX.${user}.>`

function objectsOf(role: Role, bucket: string): readonly string[] {
  const stream = objectStream(bucket)
  return [
    ...(includes(OBJECT_RIGHTS.reads, role) ? objectReadingOf(stream) : []),
    ...(includes(OBJECT_RIGHTS.writes, role) ? [`$O.${bucket}.>`, `$JS.API.STREAM.PURGE.${stream}`] : []),
  ]
}

export function rowsOf(role: Role, rows: Rows): { readonly said: readonly SubjectRow[]; readonly heard: readonly SubjectRow[] } {
  const all = Object.values(rows)
  return { said: all.filter(({ says }) => says.includes(role)), heard: all.filter(({ hears }) => hears.includes(role)) }
}

export function streamsIn(rows: readonly SubjectRow[]): readonly string[] {
  return unique(rows.flatMap(({ stream }) => stream ?? []))
}

export function unique<T>(all: readonly T[]): readonly T[] {
  return [...new Set(all)]
}

function includes(roles: readonly Role[], role: Role): boolean {
  return roles.includes(role)
}
