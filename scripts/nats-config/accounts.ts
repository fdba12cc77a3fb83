import { SUBJECTS } from '../../protocol/subjects.ts'
import { ACTOR_ROLES, actorPermissions, opsPermissions, type Permissions, type Rows } from './permissions.ts'
import { type Door, doorsOf, publisherPermissions } from './tenant-doors.ts'

export interface Login {
  readonly user: string
  readonly pass: string
}
/** By name: a role, `ops`, `supervisor`, `publisher:<tenant>`. */
export type Logins = Readonly<Record<string, Login>>

export interface AccountsPlan {
  readonly tenants: readonly string[]
  readonly logins: Logins
  /** what the cluster's streams may take of the disk, bytes: the measure that intake and expansion stop by */
  readonly maxFileBytes: number
  readonly rows?: Rows
}

const CLUSTER = 'hato'
/** No tenant can be called as the cluster is. */
const accountOf = (tenant: string) => `tenant-${tenant}`
export const publisherName = (tenant: string): string => `publisher:${tenant}`

/** Everybody who needs a password. */
export function namesOf(tenants: readonly string[]): readonly string[] {
  return ['ops', 'supervisor', ...ACTOR_ROLES, ...tenants.map(publisherName)]
}

/** The `accounts` block of a nats-server configuration (JSON is that language too). */
export function accountsOf({ tenants, logins, maxFileBytes, rows = SUBJECTS }: AccountsPlan): object {
  const doors = new Map(tenants.map((tenant) => [tenant, doorsOf(tenant, rows)]))
  const user = (name: string, permissions: Permissions | null) => {
    const login = logins[name]
    if (login === undefined) throw new Error(`there is no password for ${name}`)
    return {
      user: login.user,
      password: login.pass,
      ...(permissions && { permissions: { publish: { allow: permissions.publish }, subscribe: { allow: permissions.subscribe } } }),
    }
  }
  return {
    [CLUSTER]: {
      jetstream: { max_file: maxFileBytes },
      users: [
        user('supervisor', null), // it makes the streams and knows every password: nothing can be kept from it
        user('ops', opsPermissions(rows)),
        ...ACTOR_ROLES.map((role) => user(role, actorPermissions(role, tenants, rows))),
      ],
      exports: [...doors].flatMap(([tenant, all]) => all.map((door) => exported(door, tenant))),
    },
    ...Object.fromEntries(
      [...doors].map(([tenant, all]) => [accountOf(tenant), { users: [user(publisherName(tenant), publisherPermissions(all))], imports: all.map(imported) }]),
    ),
  }
}

function exported({ kind, subject, answers }: Door, tenant: string): object {
  return { [kind]: subject, accounts: [accountOf(tenant)], ...(answers && { response_type: 'stream' }) }
}

function imported({ kind, subject }: Door): object {
  return { [kind]: { account: CLUSTER, subject } }
}
