/** The suppression store against a real stream: what holds whom, pages, snapshots, and what a restart knows. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OBJECT_BUCKET, SUPPRESSION_SNAPSHOT } from '../../protocol/buckets.ts'
import { EVERYBODY, type SuppressionEntry, type SuppressionPage } from '../../protocol/messages/ops.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { Suppression } from '../../services/scheduler/suppression.ts'
import { answerSuppression } from '../../services/scheduler/suppression-desk.ts'
import { bytes, natsForFile } from '../kit/bus.ts'

const here = natsForFile()
let store: Suppression
beforeAll(async () => {
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureObjectBucket(OBJECT_BUCKET)
})
beforeEach(async () => {
  await here.bus.purge(STREAM.suppression, wildcard('suppressionLog'))
  await openObjects(here.bus, OBJECT_BUCKET).remove(SUPPRESSION_SNAPSHOT)
  store = await loaded()
})

async function loaded(now = Date.now): Promise<Suppression> {
  const made = new Suppression({ bus: here.bus, clock: { ...systemClock, now } })
  await made.load()
  return made
}
const news = { tenant: 'acme', kind: 'marketing', listId: 'news' } as const
const other = { tenant: 'acme', kind: 'marketing', listId: 'other' } as const
const recall = { tenant: 'acme', kind: 'notice', listId: null } as const
const receipt = { tenant: 'acme', kind: 'transactional', listId: null } as const
const held = (address: string, of: Suppression = store) => [news, other, recall, receipt].map((campaign) => of.heldBy(campaign, address)?.reason ?? null)
const people = (count: number, name = 'user'): SuppressionEntry[] =>
  Array.from({ length: count }, (_, at) => ({ address: `${name}${at}@example.jp`, reason: 'by-hand' }))

describe('an entry', () => {
  it('holds what its reason says, and the tenant whose it is, also after a restart', async () => {
    await store.add('acme', [
      { address: 'Left@example.jp', reason: 'unsubscribe', list: 'news' },
      { address: 'left-all@example.jp', reason: 'unsubscribe' },
      { address: 'angry@example.jp', reason: 'complaint', list: 'news' },
      { address: 'gone@example.jp', reason: 'unknown-user' },
      { address: 'full@example.jp', reason: 'mailbox-full' },
      { address: 'hand@example.jp', reason: 'by-hand' },
    ])
    for (const of of [store, await loaded()]) {
      expect(held('left@EXAMPLE.jp', of)).toEqual(['unsubscribe', null, null, null])
      expect(held('left-all@example.jp', of)).toEqual(['unsubscribe', 'unsubscribe', null, null])
      expect(held('angry@example.jp', of)).toEqual(['complaint', 'complaint', 'complaint', null])
      expect(held('gone@example.jp', of)).toEqual(['unknown-user', 'unknown-user', 'unknown-user', 'unknown-user'])
      expect(held('full@example.jp', of)).toEqual(['mailbox-full', 'mailbox-full', 'mailbox-full', null])
      expect(held('hand@example.jp', of)).toEqual(['by-hand', 'by-hand', 'by-hand', 'by-hand'])
      expect(of.heldBy({ ...news, tenant: 'rival' }, 'hand@example.jp')).toBeNull()
    }
  })

  it('of an unknown user ends after 180 days and lets a complaint beside it stand', async () => {
    await store.add('acme', [
      { address: 'a@example.jp', reason: 'complaint' },
      { address: 'a@example.jp', reason: 'unknown-user' },
    ])
    const later = await loaded(() => Date.now() + 181 * 86_400_000)
    expect(held('a@example.jp', later)).toEqual(['complaint', 'complaint', 'complaint', null])
    expect((await later.find('acme', 'a@example.jp')).map(({ reason, until }) => [reason, until === null])).toEqual([
      ['unknown-user', false],
      ['complaint', true],
    ])
  })

  it('on the list of all tenants holds every tenant, and no tenant takes it off', async () => {
    await store.add(EVERYBODY, [{ address: 'trap@example.jp', reason: 'by-hand' }])
    expect(store.heldBy({ ...receipt, tenant: 'rival' }, 'trap@example.jp')).toEqual({ reason: 'by-hand', of: ' of all tenants' })
    expect(await store.remove('acme', ['trap@example.jp'])).toBe(0)
    expect(held('trap@example.jp')).toEqual(['by-hand', 'by-hand', 'by-hand', 'by-hand'])
    expect(await store.remove(EVERYBODY, ['trap@example.jp'])).toBe(1)
    expect(held('trap@example.jp')).toEqual([null, null, null, null])
  })

  it('goes when it is taken off, of one list or of all', async () => {
    await store.add('acme', [
      { address: 'a@example.jp', reason: 'unsubscribe', list: 'news' },
      { address: 'a@example.jp', reason: 'unsubscribe', list: 'other' },
      { address: 'a@example.jp', reason: 'complaint' },
    ])
    expect(await store.remove('acme', ['a@example.jp', 'nobody@example.jp'], 'news')).toBe(1)
    expect((await store.find('acme', 'a@example.jp')).map(({ reason, list }) => [reason, list])).toEqual([
      ['complaint', undefined],
      ['unsubscribe', 'other'],
    ])
    expect(await store.remove('acme', ['a@example.jp'])).toBe(1)
    for (const of of [store, await loaded()]) expect([held('a@example.jp', of), of.count('acme')]).toEqual([[null, null, null, null], 0])
  })
})

describe('the list', () => {
  it('is told page by page, each live entry once, whatever was said of it before', async () => {
    await store.add('acme', people(300))
    await store.add('rival', people(10, 'rival'))
    await store.add('acme', people(150)) // again: their first word is over
    await store.remove('acme', ['user299@example.jp'])
    const seen: string[] = []
    let after: string | null = null
    do {
      const page: SuppressionPage = { ...(await store.list('acme', after, 70)), total: 0 }
      seen.push(...page.entries.map(({ address }) => address))
      after = page.next
    } while (after !== null)
    expect(seen).toHaveLength(299)
    expect(new Set(seen).size).toBe(299)
    expect((await store.list('acme', 'user298@example.jp', 1)).entries).toMatchObject([{ address: 'user0@example.jp' }])
  })
})

describe('a snapshot', () => {
  it('spares the log, and what was said since is read from there', async () => {
    await store.add('acme', people(500))
    await store.add('acme', [{ address: 'left@example.jp', reason: 'unsubscribe', list: 'news' }])
    await store.save()
    await store.add('acme', people(1, 'later'))
    await store.remove('acme', ['user7@example.jp'])
    // The log's beginning is taken away: only the snapshot can know of it.
    const { firstSeq } = await here.bus.streamState(STREAM.suppression)
    await here.bus.remove(STREAM.suppression, firstSeq)
    const again = await loaded()
    expect(again.count('acme')).toBe(501)
    expect(held('user8@example.jp', again)[0]).toBe('by-hand')
    expect(held('user7@example.jp', again)[0]).toBeNull()
    expect(held('later0@example.jp', again)[0]).toBe('by-hand')
    expect(held('left@example.jp', again)).toEqual(['unsubscribe', null, null, null])
  })

  it('that is damaged is left aside', async () => {
    await store.add('acme', people(500))
    await store.save()
    await openObjects(here.bus, OBJECT_BUCKET).put(SUPPRESSION_SNAPSHOT, [bytes('this is no snapshot, by no means')])
    expect((await loaded()).count('acme')).toBe(500)
  })
})

describe('a file', () => {
  const desk = () => ({ bus: here.bus, suppression: store, tenants: ['acme', 'rival'] })
  const put = (name: string, text: string) => openObjects(here.bus, OBJECT_BUCKET).put(name, [bytes(text)])

  it('comes in whole or, if one wishes, without what is unusable; and goes out again', async () => {
    const rows = Array.from({ length: 1_200 }, (_, at) => `u${at}@example.jp,complaint`)
    await put('lists/acme/in.csv', ['address,reason', ...rows, 'nobody', ''].join('\n'))
    const ask = { action: 'import', object: 'lists/acme/in.csv' }
    expect(await answerSuppression(desk(), 'acme', ask)).toMatchObject({ error: { problems: [{ path: 'line 1202 address' }] } })
    expect(store.count('acme')).toBe(0)
    expect(await answerSuppression(desk(), 'acme', { ...ask, skipUnusable: true })).toMatchObject({ ok: true, added: 1_200, unusable: 1 })
    expect(store.count('acme')).toBe(1_200)
    expect(await answerSuppression(desk(), 'acme', { action: 'export', object: 'suppression/acme/export.csv' })).toMatchObject({ exported: 1_200 })
    let text = ''
    for await (const chunk of openObjects(here.bus, OBJECT_BUCKET).read('suppression/acme/export.csv')) text += new TextDecoder().decode(chunk)
    expect(text.split('\n')).toHaveLength(1_202)
  })

  it('of all tenants is nobody’s to read, and no export lies over the snapshot', async () => {
    await store.save()
    expect(await answerSuppression(desk(), 'acme', { action: 'import', object: SUPPRESSION_SNAPSHOT })).toHaveProperty('error')
    expect(await answerSuppression(desk(), 'acme', { action: 'export', object: SUPPRESSION_SNAPSHOT })).toHaveProperty('error')
    expect(await answerSuppression(desk(), EVERYBODY, { action: 'export', object: SUPPRESSION_SNAPSHOT })).toHaveProperty('error')
  })
})
