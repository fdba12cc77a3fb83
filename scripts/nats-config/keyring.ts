/**
 * keyring: `<data>/credentials.json`, mode 600: who logs in with what. Made at the first start and kept, so that a program that was given a
 * password stays in; a tenant's entry comes and goes with the tenant.
 *
 * NOTE: the supervisor's own is never written: it is made anew at each start.
 */
import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BadConfig } from '../../services/runtime/errors.ts'
import { type Login, type Logins, namesOf } from './accounts.ts'

export interface Keyring {
  readonly file: string
  readonly supervisor: Login
  of(name: string): Login
  /** all of them, for the server's configuration */
  logins(): Logins
  /** tenants as they are now; nobody is told before `save` */
  admit(tenants: readonly string[]): void
  /** the file says what `admit` decided */
  save(): Promise<void>
  /** tenants that have an entry */
  tenants(): readonly string[]
}

const PUBLISHER = 'publisher:'

export async function openKeyring(dataDir: string): Promise<Keyring> {
  const file = join(dataDir, 'credentials.json')
  const supervisor = newLogin('supervisor')
  let logins = await read(file)
  const all = (): Logins => ({ ...logins, supervisor })
  return {
    file,
    supervisor,
    logins: all,
    of(name) {
      const login = all()[name]
      if (login === undefined) throw new BadConfig(`${file} has no entry for ${name}`)
      return login
    },
    tenants: () => Object.keys(logins).flatMap((name) => (name.startsWith(PUBLISHER) ? [name.slice(PUBLISHER.length)] : [])),
    admit(tenants) {
      const names = namesOf(tenants).filter((name) => name !== supervisor.user)
      logins = Object.fromEntries(names.map((name) => [name, logins[name] ?? newLogin(name)]))
    },
    save: () => write(file, logins),
  }
}

/** NOTE: no `:` in a user's name: it stands between name and password where clients take both in a URL. */
function newLogin(name: string): Login {
  return { user: name.replace(':', '-'), pass: randomBytes(24).toString('base64url') }
}

async function read(file: string): Promise<Logins> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new BadConfig(`${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    const logins = JSON.parse(text) as Logins
    for (const [name, { user, pass }] of Object.entries(logins))
      if (typeof user !== 'string' || typeof pass !== 'string') throw new Error(`"${name}" is not {"user", "pass"}`)
    return logins
  } catch (error) {
    throw new BadConfig(`${file} is damaged: ${(error as Error).message}. Take it away and new passwords are made at the next start`)
  }
}

async function write(file: string, logins: Logins): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
