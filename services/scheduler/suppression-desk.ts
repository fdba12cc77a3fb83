import { OBJECT_BUCKET, objectOf, ownerOfObject } from '../../protocol/buckets.ts'
import { type Problem, problemsOf } from '../../protocol/campaign.ts'
import { type ErrorAnswer, SuppressionAsk, type SuppressionEntry } from '../../protocol/messages/ops.ts'
import { normaliseAddress } from '../../protocol/addresses.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { ObjectError, openObjects } from '../runtime/objects.ts'
import { openTenantObjects, type TenantObjects } from '../runtime/tenant-objects.ts'
import { csvFields } from './list-reader.ts'
import type { Suppression } from './suppression.ts'

const ENTRIES_A_MESSAGE = 500
const COLUMNS = ['address', 'reason', 'list', 'since', 'until', 'reply'] as const

export interface Desk {
  readonly bus: Bus
  readonly suppression: Suppression
  /** all of the fleet */
  readonly tenants: readonly string[]
}

/** `suppression.<tenant>`: add, remove, list, import, export. Addresses are checked; nothing is written when one is wrong. */
export async function answerSuppression({ bus, suppression, tenants }: Desk, tenant: string, body: unknown): Promise<object> {
  const read = SuppressionAsk.safeParse(body)
  if (!read.success) return bad('the request is not understood', problemsOf(read.error))
  const ask = read.data
  switch (ask.action) {
    case 'add': {
      const problems = addressProblems(
        ask.entries.map(({ address }) => address),
        'entries',
      )
      if (problems.length > 0) return bad('nothing was added', problems)
      await suppression.add(tenant, ask.entries)
      return { ok: true, added: ask.entries.length }
    }
    case 'remove':
      return { ok: true, removed: await suppression.remove(tenant, ask.addresses, ask.list) }
    case 'list': {
      if (ask.address !== undefined) return { entries: suppression.find(tenant, ask.address), total: suppression.count(tenant) }
      return { entries: suppression.list(tenant, ask.after ?? null, ask.limit), total: suppression.count(tenant) }
    }
    case 'import':
      return importFrom(openTenantObjects(bus, tenant, tenants), suppression, tenant, ask.object)
    case 'export':
      if (![null, tenant].includes(ownerOfObject(ask.object, tenants))) return bad(`"${ask.object}" lies under another tenant's name; nothing was exported`, [])
      return exportTo(bus, suppression, tenant, ask.object)
  }
}

async function importFrom(objects: TenantObjects, suppression: Suppression, tenant: string, name: string): Promise<object> {
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const chunk of objects.read(name)) text += decoder.decode(chunk, { stream: true })
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    return bad(`${name}: ${error.message}`, [])
  }
  const [head = '', ...lines] = text.split(/\r?\n/)
  const header = csvFields(head)?.map((column) => column.trim()) ?? []
  if (!header.includes('address')) return bad(`${name} has no column "address" in its first line`, [])
  const entries: SuppressionEntry[] = []
  const problems: Problem[] = []
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue
    const fields = csvFields(line) ?? []
    const row = Object.fromEntries(
      header.map((column, n) => [column, fields[n] ?? '']).filter(([column, value]) => COLUMNS.includes(column as 'address') && value !== ''),
    )
    const entry = SuppressionAsk.safeParse({ action: 'add', entries: [row] })
    if (!entry.success)
      problems.push(...problemsOf(entry.error).map(({ path, message }) => ({ path: `line ${at + 2} ${path.replace(/^entries\[0\]\.?/, '')}`, message })))
    else if (normaliseAddress(String(row.address)) === null) problems.push({ path: `line ${at + 2} address`, message: `"${row.address}" is not an address` })
    else if (entry.data.action === 'add') entries.push(...entry.data.entries)
  }
  if (problems.length > 0) return bad(`nothing of ${name} was imported`, problems.slice(0, 1_000))
  for (let at = 0; at < entries.length; at += ENTRIES_A_MESSAGE) await suppression.add(tenant, entries.slice(at, at + ENTRIES_A_MESSAGE))
  return { ok: true, added: entries.length }
}

/** Into the bucket of all, where ops looks for it; so it may replace an export of this tenant and nothing else. */
async function exportTo(bus: Bus, suppression: Suppression, tenant: string, name: string): Promise<object> {
  const objects = openObjects(bus, OBJECT_BUCKET)
  if (!name.startsWith(objectOf('suppression', tenant, '')) && (await objects.head(name)) !== null)
    return bad(`there is an object "${name}" already; nothing was exported, name one that is new or begins with "${objectOf('suppression', tenant, '')}"`, [])
  let count = 0
  const encoder = new TextEncoder()
  function* lines(): Generator<Uint8Array> {
    yield encoder.encode(`${COLUMNS.join(',')}\n`)
    for (const entry of suppression.list(tenant, null, Number.POSITIVE_INFINITY)) {
      count++
      yield encoder.encode(`${COLUMNS.map((column) => quoted(String(entry[column] ?? ''))).join(',')}\n`)
    }
  }
  await objects.put(name, lines())
  return { ok: true, exported: count, object: name }
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function addressProblems(addresses: readonly string[], path: string): Problem[] {
  return addresses.flatMap((address, at) =>
    normaliseAddress(address) === null ? [{ path: `${path}[${at}].address`, message: `"${address}" is not an address` }] : [],
  )
}

function bad(message: string, problems: readonly Problem[]): ErrorAnswer {
  return { error: { code: 'bad-request', message, problems } }
}
