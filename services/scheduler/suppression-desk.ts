import { addressProblem } from '../../protocol/addresses.ts'
import { OBJECT_BUCKET, objectOf, ownerOfObject } from '../../protocol/buckets.ts'
import { type Problem, problemsOf } from '../../protocol/campaign.ts'
import { type ErrorAnswer, SuppressionAsk, type SuppressionEntry, type SuppressionPage } from '../../protocol/messages/ops.ts'
import type { Bus } from '../runtime/bus/types.ts'
import { ObjectError, openObjects } from '../runtime/objects.ts'
import { openTenantObjects, type TenantObjects } from '../runtime/tenant-objects.ts'
import type { Suppression } from './suppression.ts'
import { checkSuppressionCsv, csvHeader, csvLine, readSuppressionCsv } from './suppression-csv.ts'

const ENTRIES_A_MESSAGE = 500
/** messages of an import on their way at once: enough to hide the fsync */
const UNDER_WAY = 8
/** lines of an export that are handed on together */
const LINES_A_PIECE = 1_000

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
      const problems = addressProblems(ask.entries)
      if (problems.length > 0) return bad('nothing was added', problems)
      await suppression.add(tenant, ask.entries)
      return { ok: true, added: ask.entries.length }
    }
    case 'remove':
      return { ok: true, removed: await suppression.remove(tenant, ask.addresses, ask.list) }
    case 'list': {
      const total = suppression.count(tenant)
      if (ask.address !== undefined) return { entries: await suppression.find(tenant, ask.address), total, next: null } satisfies SuppressionPage
      return { ...(await suppression.list(tenant, ask.after ?? null, ask.limit)), total } satisfies SuppressionPage
    }
    case 'import':
      return importFrom(openTenantObjects(bus, tenant, tenants), suppression, tenant, ask)
    case 'export':
      if (![null, tenant].includes(ownerOfObject(ask.object, tenants))) return bad(`"${ask.object}" lies under another tenant's name; nothing was exported`, [])
      return exportTo(bus, suppression, tenant, ask.object)
  }
}

/** The object is read twice, so that nothing is written where a line is wrong: in constant memory, however long it is. */
async function importFrom(
  objects: TenantObjects,
  suppression: Suppression,
  tenant: string,
  { object, skipUnusable }: Extract<SuppressionAsk, { action: 'import' }>,
): Promise<object> {
  try {
    const pin = await objects.head(object)
    if (pin === null) return bad(`there is no object "${object}" of ${tenant}`, [])
    const { usable, unusable, problems } = await checkSuppressionCsv(objects.read(pin))
    if (usable === 0 || (unusable > 0 && !skipUnusable)) return bad(`nothing of ${object} was imported`, problems)
    const underWay: Promise<void>[] = []
    let entries: SuppressionEntry[] = []
    const write = async () => {
      underWay.push(suppression.add(tenant, entries))
      entries = []
      if (underWay.length >= UNDER_WAY) await underWay.shift()
    }
    try {
      for await (const line of readSuppressionCsv(objects.read(pin))) {
        if (line.kind === 'entry') entries.push(line.entry)
        if (entries.length === ENTRIES_A_MESSAGE) await write()
      }
      if (entries.length > 0) await write()
    } finally {
      await Promise.all(underWay)
    }
    return { ok: true, added: usable, unusable, problems }
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    return bad(`${object}: ${error.message}`, [])
  }
}

/** Into the bucket of all, where ops looks for it; so it may replace an export of this tenant and nothing else. */
async function exportTo(bus: Bus, suppression: Suppression, tenant: string, name: string): Promise<object> {
  const objects = openObjects(bus, OBJECT_BUCKET)
  if (!name.startsWith(objectOf('suppression', tenant, 'export')) && (await objects.head(name)) !== null) {
    const own = objectOf('suppression', tenant, 'export')
    return bad(`there is an object "${name}" already; nothing was exported, name one that is new or begins with "${own}"`, [])
  }
  let count = 0
  const encoder = new TextEncoder()
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let text = csvHeader()
    for await (const entry of suppression.all(tenant)) {
      text += csvLine(entry)
      if (++count % LINES_A_PIECE !== 0) continue
      yield encoder.encode(text)
      text = ''
    }
    yield encoder.encode(text)
  }
  await objects.put(name, pieces())
  return { ok: true, exported: count, object: name }
}

function addressProblems(entries: readonly SuppressionEntry[]): Problem[] {
  return entries.flatMap(({ address }, at) => {
    const message = addressProblem(address)
    return message === null ? [] : [{ path: `entries[${at}].address`, message }]
  })
}

function bad(message: string, problems: readonly Problem[]): ErrorAnswer {
  return { error: { code: 'bad-request', message, problems } }
}
