/** The generated accounts in a real server: who says may publish, who does not is refused, and a tenant sees nothing but its own. */
import { jetstream } from '@nats-io/jetstream'
import { Objm } from '@nats-io/obj'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BUCKETS, KEYS, OBJECT_BUCKET, objectOf, tenantObjectBucket } from '../../protocol/buckets.ts'
import { CONSUMERS, STREAM, STREAMS } from '../../protocol/streams.ts'
import { listenerForm, type SubjectRow, SUBJECTS, subject, wildcard } from '../../protocol/subjects.ts'
import { accountsOf, namesOf, publisherName } from '../../scripts/nats-config/accounts.ts'
import { ACTOR_ROLES } from '../../scripts/nats-config/permissions.ts'
import { furnish } from '../../scripts/start/admission.ts'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { openTenantObjects } from '../../services/runtime/tenant-objects.ts'
import { bytes, gather, listeningLog, text, until } from '../kit/bus.ts'
import { startNats, type TestNats } from '../kit/nats.ts'

const TENANTS = ['acme', 'other']
const LOGINS = Object.fromEntries(namesOf(TENANTS).map((name) => [name, { user: name.replace(':', '-'), pass: `secret of ${name}` }]))
const ROWS: readonly (readonly [string, SubjectRow])[] = Object.entries(SUBJECTS)

const parts = new AsyncDisposableStack()
let nats: TestNats
let supervisor: Bus

beforeAll(async () => {
  const accounts = accountsOf({ tenants: TENANTS, logins: LOGINS, maxFileBytes: 5e9 })
  nats = parts.use(await startNats({ extra: `accounts: ${JSON.stringify(accounts)}` }))
  supervisor = parts.use(await busOf('supervisor'))
  await supervisor.ensureStreams(STREAMS)
  await supervisor.ensureBuckets(BUCKETS)
  await supervisor.ensureObjectBucket(OBJECT_BUCKET)
  for (const tenant of TENANTS) await furnish(supervisor, tenant)
})
afterAll(() => parts.disposeAsync())

describe.each([...ACTOR_ROLES, 'ops'] as const)('%s', (role) => {
  test('publishes what it says and is refused everything else', async () => {
    await using client = await clientOf(role)
    for (const [, row] of ROWS) client.nats.publish(spoken(row), '{}')
    expect(await client.refused()).toEqual(ROWS.filter(([, { says }]) => !says.includes(role)).map(([, row]) => spoken(row)))
  })

  test('hears what it is to hear', async () => {
    await using client = await clientOf(role)
    const rows = ROWS.map(([, row]) => row).filter(({ how }) => how !== 'jetstream')
    for (const { on } of rows) client.nats.subscribe(listenerForm(on))
    await client.nats.flush()
    const others = rows.filter(({ hears }) => !hears.includes(role)).map(({ on }) => listenerForm(on))
    expect(await client.refused()).toEqual(role === 'ops' ? [] : others) // people may watch everything
  })
})

describe('actors', () => {
  test('ask and answer each other', async () => {
    await using sender = await busOf('sender')
    await using router = await busOf('domain-router')
    using _ = router.serve(wildcard('report'), (call) => call.reply(call.body))
    await router.flush()
    const answer = await sender.ask(subject('report', { shard: 'google' }), bytes('report'), { timeoutMs: 2_000 })
    expect(answer.kind === 'answer' && text(answer.body)).toBe('report')
  })

  test("do not hear each other's answers", async () => {
    await using client = await clientOf('sender')
    client.nats.subscribe('_INBOX.domain-router.>')
    client.nats.subscribe('_INBOX.>')
    expect(await client.refused()).toEqual(['_INBOX.domain-router.>', '_INBOX.>'])
  })

  test('write their own keys of a bucket: no sender takes a shard or says that another lives', async () => {
    await using sender = await busOf('sender')
    const owners = openBucket(sender, 'owners')
    await owners.put(KEYS.node('sender', 's1'), bytes('here'))
    expect(text((await owners.get(KEYS.node('sender', 's1')))?.value ?? bytes(''))).toBe('here')
    for (const key of [KEYS.node('domain-router', 'r1'), KEYS.owner('domain-router', 'google')])
      await expect(owners.put(key, bytes('mine'))).rejects.toMatchObject({ code: 'denied' })
    await expect(openBucket(sender, 'fleet').put(KEYS.fleet, bytes('{}'))).rejects.toMatchObject({ code: 'denied' })
    await expect(openBucket(sender, 'reputation').get(KEYS.ipMemory)).rejects.toMatchObject({ code: 'denied' })
  })

  test('know how much room the store has', async () => {
    await using scheduler = await busOf('scheduler')
    expect((await scheduler.storeUse()).allowedBytes).toBe(5e9)
  })
})

describe("a tenant's client, as it comes out of the box", () => {
  test('publishes, asks and is answered', async () => {
    await using client = await clientOf(publisherName('acme'))
    await using scheduler = await busOf('scheduler')
    using _ = scheduler.serve(wildcard('campaignStatus'), (call) => call.reply(bytes(call.subject)))
    await scheduler.flush()
    const ack = await client.nats.request(subject('campaignJob', { tenant: 'acme' }), '{}')
    expect(ack.json()).toMatchObject({ stream: STREAM.jobs, seq: expect.any(Number) })
    const where = subject('campaignStatus', { tenant: 'acme', id: 'c1' })
    expect((await client.nats.request(where)).string()).toBe(where)
    expect(await client.refused()).toEqual([])
  })

  test('is told when nobody is there to answer', async () => {
    await using client = await clientOf(publisherName('acme'))
    await expect(client.nats.request(subject('suppression', { tenant: 'acme' }))).rejects.toThrow(/no responders/)
  })

  test('hears its own events and outcomes, live and later, and nobody else’s', async () => {
    await using client = await clientOf(publisherName('acme'))
    const live: string[] = []
    for (const row of [SUBJECTS.campaignEvent, SUBJECTS.outcome])
      client.nats.subscribe(listenerForm(row.on, { tenant: 'acme' }), { callback: (_, msg) => void live.push(msg.string()) })
    await client.nats.flush()
    await using scheduler = await busOf('scheduler')
    for (const tenant of ['other', 'acme', 'other', 'acme']) {
      await scheduler.store(subject('campaignEvent', { tenant, id: 'c1' }), bytes(`event of ${tenant}`))
      await scheduler.store(subject('outcome', { tenant, campaign: 'c1', batch: 1 }), bytes(`outcome of ${tenant}`))
    }
    const own = ['event of acme', 'event of acme', 'outcome of acme', 'outcome of acme']
    await until('the live ones', () => live.length >= 4)
    expect(live.toSorted()).toEqual(own)

    const later: string[] = []
    for (const stream of [STREAM.events, STREAM.outcomes]) {
      const consumer = await jetstream(client.nats).consumers.get(stream, CONSUMERS.publisher('acme'))
      for await (const msg of await consumer.fetch({ max_messages: 10, expires: 1_000 })) {
        later.push(msg.string())
        await msg.ackAck()
      }
    }
    expect(later.filter((body) => body !== '{}')).toEqual(own) // what the tests above said
    expect(await client.refused()).toEqual([])
  })

  test('puts, replaces and removes lists in its own bucket, whence the scheduler reads them', async () => {
    for (const tenant of TENANTS) {
      await using client = await clientOf(publisherName(tenant))
      const objects = await new Objm(jetstream(client.nats)).open(tenantObjectBucket(tenant))
      for (const body of ['first', `list of ${tenant}`]) await objects.putBlob({ name: 'lists/spring.ndjson' }, bytes(body))
      await objects.putBlob({ name: 'lists/gone.ndjson' }, bytes('x'))
      await objects.delete('lists/gone.ndjson')
      expect(await client.refused()).toEqual([])
    }
    await using scheduler = await busOf('scheduler')
    for (const tenant of TENANTS) {
      const objects = openObjects(scheduler, tenantObjectBucket(tenant))
      expect((await gather(objects.read('lists/spring.ndjson'))).map(text)).toEqual([`list of ${tenant}`])
      expect(await objects.head('lists/gone.ndjson')).toBeNull()
    }
    // Nothing of what was replaced or removed is left: one record and one chunk of the list, the mark of the other.
    expect((await supervisor.streamState(`OBJ_${tenantObjectBucket('acme')}`)).messages).toBe(3)
  })
})

describe("what a tenant's mail may name", () => {
  const pinned = async (tenant: string, name: string) => {
    await using scheduler = await busOf('scheduler')
    return await openTenantObjects(scheduler, tenant, TENANTS).head(name)
  }

  test('what its own programs put comes before what people put for everybody; what is another’s by its name is not there', async () => {
    await using ops = await busOf('ops')
    await using scheduler = await busOf('scheduler')
    await openObjects(ops, OBJECT_BUCKET).put('lists/both.ndjson', [bytes('for all')])
    await openObjects(ops, OBJECT_BUCKET).put(objectOf('lists', 'other', 'own.ndjson'), [bytes('of other')])
    await openObjects(scheduler, tenantObjectBucket('acme')).put('lists/both.ndjson', [bytes('of acme')])
    expect(await pinned('acme', 'lists/both.ndjson')).toMatchObject({ bucket: tenantObjectBucket('acme') })
    expect(await pinned('other', 'lists/both.ndjson')).toMatchObject({ bucket: OBJECT_BUCKET })
    expect(await pinned('other', objectOf('lists', 'other', 'own.ndjson'))).toMatchObject({ bucket: OBJECT_BUCKET })
    expect(await pinned('acme', objectOf('lists', 'other', 'own.ndjson'))).toBeNull()
    await using sender = await busOf('sender')
    expect((await gather(openTenantObjects(sender, 'acme', TENANTS).read('lists/both.ndjson'))).map(text)).toEqual(['of acme'])
  })

  test('on a server without buckets for tenants it is what people put', async () => {
    await openObjects(supervisor, OBJECT_BUCKET).put('lists/plain.ndjson', [bytes('x')])
    expect(await openTenantObjects(supervisor, 'nobody', ['nobody']).head('lists/plain.ndjson')).toMatchObject({ bucket: OBJECT_BUCKET })
  })
})

describe("a tenant's client with bad intentions", () => {
  const other = { tenant: 'other', id: 'c1', campaign: 'c1', batch: 1 }
  const event = subject('campaignEvent', other)

  test('is refused every row, in another’s name and in its own where it is no publisher’s', async () => {
    await using client = await clientOf(publisherName('acme'))
    for (const [, row] of ROWS) client.nats.publish(spoken(row, 'other'), '{}')
    const notItsOwn = ROWS.map(([, row]) => row).filter(({ says }) => !says.includes('publisher'))
    for (const row of notItsOwn) client.nats.publish(spoken(row), '{}')
    expect(await client.refused()).toEqual([...ROWS.map(([, row]) => spoken(row, 'other')), ...notItsOwn.map((row) => spoken(row))])
  })

  test.each([
    ['an event read by its sequence', `$JS.API.STREAM.MSG.GET.${STREAM.events}`, '{"seq":1}'],
    ['… from a replica', `$JS.API.DIRECT.GET.${STREAM.events}`, '{"seq":1}'],
    ["another's last event", `$JS.API.DIRECT.GET.${STREAM.events}.${event}`, ''],
    ["another's consumer", `$JS.API.CONSUMER.MSG.NEXT.${STREAM.events}.${CONSUMERS.publisher('other')}`, '1'],
    ['a consumer that delivers into the fleet', `$JS.API.CONSUMER.CREATE.${STREAM.events}.x`, `{"config":{"deliver_subject":"$KV.fleet.${KEYS.fleet}"}}`],
    ['the names of campaigns', `$JS.API.STREAM.INFO.${STREAM.events}`, '{"subjects_filter":">"}'],
    ['a stream away', `$JS.API.STREAM.DELETE.${STREAM.mail}`, ''],
    ["another's list", `$JS.API.STREAM.MSG.GET.OBJ_${tenantObjectBucket('other')}`, '{"seq":1}'],
    ["another's list changed", `$O.${tenantObjectBucket('other')}.M.x`, '{}'],
    ["everybody's list changed", `$O.${OBJECT_BUCKET}.M.x`, '{}'],
    ['the fleet', `$KV.fleet.${KEYS.fleet}`, '{}'],
  ])('wants %s: refused', async (_, to, body) => {
    await using client = await clientOf(publisherName('acme'))
    await expect(client.nats.request(to, body, { timeout: 2_000 })).rejects.toThrow(/permissions violation/i)
    expect(await client.refused()).toEqual([to])
  })

  test('listens to everything and hears nothing', async () => {
    await using client = await clientOf(publisherName('acme'))
    const heard: string[] = []
    for (const to of ['>', '_INBOX.>', '_R_.>', event, '$KV.>', '$JS.EVENT.>'])
      client.nats.subscribe(to, { callback: (error, msg) => (error ? undefined : void heard.push(msg.subject)) })
    await client.nats.flush()
    await using sender = await busOf('sender')
    await using router = await busOf('domain-router')
    await using scheduler = await busOf('scheduler')
    using _ = router.serve(wildcard('report'), (call) => call.reply(call.body))
    await router.flush()
    await sender.ask(subject('report', { shard: 'google' }), bytes(''), { timeoutMs: 2_000 })
    await scheduler.store(event, bytes('secret'))
    await client.nats.flush()
    expect(heard).toEqual([])
    expect(await client.refused()).toEqual(['>', '_R_.>', event, '$KV.>', '$JS.EVENT.>'])
  })

  test('names a foreign subject for the answer: the server does not write there in its name', async () => {
    await using client = await clientOf(publisherName('acme'))
    const reply = `$KV.fleet.${KEYS.fleet}`
    client.nats.publish(subject('campaignJob', { tenant: 'acme' }), '{}', { reply })
    client.nats.publish(`$JS.API.DIRECT.GET.${STREAM.events}.${subject('campaignEvent', { tenant: 'acme', id: 'c1' })}`, '', { reply })
    await client.nats.flush()
    await client.nats.request(subject('campaignJob', { tenant: 'acme' }), '{}') // what came before it is done
    expect(await openBucket(supervisor, 'fleet').get(KEYS.fleet)).toBeNull()
  })

  test('the same in one account would succeed, which is why a tenant has its own', async () => {
    const ops = await connect({ servers: nats.url, ...LOGINS.ops })
    ops.publish(subject('campaignJob', { tenant: 'acme' }), '{}', { reply: `$KV.reputation.planted` })
    await ops.flush()
    await until('the server has written its PubAck there', async () => (await openBucket(supervisor, 'reputation').get('planted')) !== null)
    await ops.close()
  })
})

function busOf(name: string): Promise<Bus> {
  return connectBus({ url: nats.url, name, log: listeningLog(), credentials: LOGINS[name] as (typeof LOGINS)[string] })
}

/** A NATS client that knows nothing of Hato; `refused` tells the subjects of the permission violations so far. */
async function clientOf(name: string): Promise<AsyncDisposable & { readonly nats: NatsConnection; refused(): Promise<readonly string[]> }> {
  const client = await connect({ servers: nats.url, ...LOGINS[name] })
  const refused: string[] = []
  const reading = (async () => {
    for await (const status of client.status()) {
      const subject = status.type === 'error' ? /Permissions Violation for (?:Publish to|Subscription to) "([^"]+)"/.exec(status.error.message)?.[1] : undefined
      if (subject !== undefined) refused.push(subject)
    }
  })()
  return {
    nats: client,
    async refused() {
      await client.flush() // the server has read what was said before, and its complaints came first
      await new Promise(setImmediate) // `reading` has had its turn
      return refused
    },
    async [Symbol.asyncDispose]() {
      await client.close()
      await reading
    },
  }
}

/** A subject of the row as somebody says it. */
function spoken({ on }: SubjectRow, tenant = 'acme'): string {
  return listenerForm(on, { tenant }).replaceAll('*', 'x1').replaceAll('>', 'x1')
}
