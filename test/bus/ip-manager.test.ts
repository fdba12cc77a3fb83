import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BUCKETS, KEYS } from '../../protocol/buckets.ts'
import { decode, encode, encodeJson } from '../../protocol/codec.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { ErrorAnswer, IpControlled, IpEvent, IpReputation } from '../../protocol/messages/ops.ts'
import type { Allowances, SourceChanged } from '../../protocol/messages/permission.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { type SubjectName, type SubjectParams, subject, wildcard } from '../../protocol/subjects.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { natsForFile, text, until } from '../kit/bus.ts'

const here = natsForFile()
const A = '127.0.1.1'
const B = '127.0.1.2'
const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const fleet = {
  tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
  pool: [{ name: 'main' }, { name: 'spare' }],
  ip: [
    { address: A, pool: 'main', ehlo: 'mx1.hato.example' },
    { address: B, pool: 'main', ehlo: 'mx2.hato.example' },
    { address: '127.0.1.3', pool: 'spare', ehlo: 'mx3.hato.example' },
  ],
  dkim: [{ domain: 'acme.example', tenants: ['acme'], selector: 's1', key: pem }],
}

let owner: ChildProcess
function startProcess(): ChildProcess {
  return spawn(process.execPath, ['services/ip-manager/main.ts'], {
    env: { ...process.env, HATO_NATS_URL: here.nats.url, HATO_IP_SAVE_EVERY: '300ms', HATO_LIVENESS_TTL: '2s' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
async function killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.kill(signal)
  return gone
}

beforeAll(async () => {
  await here.bus.ensureStreams(STREAMS)
  await here.bus.ensureBuckets(BUCKETS)
  owner = startProcess()
}, 30_000)
afterAll(async () => void (await killed(owner)))

/** Asks until somebody answers: an owner that was killed leaves nobody for a while. */
async function ask<T>(name: SubjectName, params: Record<string, string> = {}, body: object = {}): Promise<T> {
  let answer: T | null = null
  await until(
    `an answer to ${name}`,
    async () => {
      const heard = await here.bus.ask(subject(name, params as SubjectParams<typeof name>), encodeJson(body), { timeoutMs: 3_000 })
      if (heard.kind === 'answer') answer = JSON.parse(text(heard.body)) as T
      return answer !== null
    },
    15_000,
  )
  return answer as T
}

const allowances = async (site: string, pools = ['main']): Promise<Allowances> => {
  const body = { shard: site, epoch: 1, router: 'r', tick: 4711, sites: [{ site, provider: site, pools }], leases: [] }
  const heard = await here.bus.ask(subject('allowance', {}), encode(body), { timeoutMs: 3_000 })
  if (heard.kind !== 'answer') throw new Error(`no allowance: ${heard.kind}`)
  return decode<Allowances>(heard.body)
}

const outcome = (ip: string, site: string, more: Partial<Outcome> = {}): Outcome => ({
  n: 0,
  ref: null,
  rcpt: 'taro@example.jp',
  outcome: 'delivered',
  stage: 'dot',
  code: 250,
  enhanced: '2.0.0',
  reply: 'ok',
  class: 'delivered',
  blames: 'nobody',
  mx: 'mx.example',
  ip,
  site,
  ms: 12,
  ...more,
})
const unknown = { outcome: 'bounced', stage: 'rcpt', code: 550, enhanced: '5.1.1', class: 'unknown-user', blames: 'recipient' } as const
const busy = { outcome: 'deferred', stage: 'data', code: 451, enhanced: '4.3.2', class: 'site-busy', blames: 'site' } as const
const unloved = { outcome: 'deferred', stage: 'mail', code: 421, enhanced: '4.7.0', reply: 'unloved', class: 'reputation', blames: 'source' } as const

let batches = 0
const publish = async (outcomes: readonly Outcome[]): Promise<void> => {
  const batch = ++batches
  const chunk = { v: 1, tenant: 'acme', campaign: 'c', batch, attempt: 0, at: new Date().toISOString(), outcomes: outcomes.map((one, n) => ({ ...one, n })) }
  await here.bus.store(subject('outcome', { tenant: 'acme', campaign: 'c', batch }), encodeJson(chunk))
}
const isps = async (address: string) => (await ask<IpReputation>('ipReputationOf', { address })).ips[0]?.isps ?? {}

describe('the fleet document', () => {
  test('is refused with every problem, and nothing changes', async () => {
    expect(await ask<ErrorAnswer>('fleetGet')).toMatchObject({ error: { code: 'no-fleet' } })
    const bad = { ...fleet, ip: [{ ...fleet.ip[0], address: 'here', helo: 'x' }], dkim: [{ ...fleet.dkim[0], key: 'keys/acme.pem' }] }
    const refused = await ask<ErrorAnswer>('fleetApply', {}, bad)
    expect(refused.error.code).toBe('bad-fleet')
    expect(refused.error.problems?.map(({ path }) => path)).toEqual(['dkim[0]', 'ip[0].address', 'ip[0].helo'])
    expect(await openBucket(here.bus, 'fleet').get(KEYS.fleet)).toBeNull()
  })

  test('is applied once, keeps its secret, and shows no key', async () => {
    expect(await ask('fleetApply', {}, fleet)).toMatchObject({ ok: true, revision: 1, warnings: [] })
    expect(await ask('fleetApply', {}, fleet)).toMatchObject({ ok: true, revision: 1 })
    const kept = async () => JSON.parse(text((await openBucket(here.bus, 'fleet').get(KEYS.fleet))?.value ?? new Uint8Array())) as FleetRecord
    const { secret } = await kept()
    expect(secret.length).toBeGreaterThan(40)
    expect(await ask('fleetApply', {}, { ...fleet, isp: [{ name: 'google', sessions_per_ip: 3 }] })).toMatchObject({ revision: 2 })
    expect((await kept()).secret).toBe(secret)
    const shown = JSON.stringify(await ask('fleetGet'))
    expect(shown).toContain('"revision":2')
    for (const hidden of [secret, 'PRIVATE KEY']) expect(shown).not.toContain(hidden)
  })
})

test('a router is told what each IP of its pools may do at a site, with its own tick and the epoch', async () => {
  const answer = await allowances('google')
  expect(answer).toMatchObject({ tick: 4711, ms: 4_000 })
  expect(answer.epoch).toBeGreaterThan(0)
  expect(answer.allowances.map(({ ip, site, pool, lends, sessions }) => [ip, site, pool, lends, sessions])).toEqual([
    [A, 'google', 'main', true, 3],
    [B, 'google', 'main', true, 3],
  ])
})

describe('an order', () => {
  test('reaches whoever listens within a second, is durable when answered, and ends by itself', async () => {
    const heard: { readonly change: SourceChanged; readonly at: number }[] = []
    using _ = here.bus.hear(subject('sourceChanged', {}), ({ body }) => heard.push({ change: decode<SourceChanged>(body), at: performance.now() }))
    await here.bus.flush()
    const began = performance.now()
    expect(await ask<IpControlled>('ipControl', { address: A }, { action: 'quarantine', because: 'listed', for: '8s' })).toMatchObject({
      ok: true,
      mode: 'quarantined',
    })
    await until('the push', () => heard.length > 0)
    expect(heard[0]?.change).toMatchObject({ ip: A, site: null, lends: false, because: 'listed' })
    expect((heard[0]?.at ?? 0) - began).toBeLessThan(1_000)
    expect((await allowances('google')).allowances[0]).toMatchObject({ ip: A, ipMode: 'quarantined', lends: false, because: 'listed' })

    await killed(owner)
    owner = startProcess()
    expect((await ask<IpReputation>('ipReputationOf', { address: A })).ips[0]).toMatchObject({ mode: 'quarantined', because: 'listed' })
    await until('the end of the quarantine', () => heard.some(({ change }) => change.ip === A && change.lends), 12_000)
    expect((await ask<IpReputation>('ipReputationOf', { address: A })).ips[0]).toMatchObject({ mode: 'serving', until: null })
    const events: IpEvent[] = []
    for await (const { body } of here.bus.scan(STREAM.events, wildcard('ipEvent'))) events.push(JSON.parse(text(body)) as IpEvent)
    expect(events.map(({ address, site, from, to }) => [address, site, from, to])).toEqual([
      [A, null, 'serving', 'quarantined'],
      [A, null, 'quarantined', 'serving'],
    ])
  })

  test('for an unknown address, or one that cannot be read, says what there is', async () => {
    expect(await ask<ErrorAnswer>('ipControl', { address: '198.51.100.1' }, { action: 'drain' })).toMatchObject({
      error: { code: 'unknown-ip', message: expect.stringContaining(`there are ${A}, ${B}`) },
    })
    expect(await ask<ErrorAnswer>('ipReputationOf', { address: '2001:db8::1' })).toMatchObject({
      error: { code: 'unknown-ip', message: expect.stringContaining('2001:db8::1') },
    })
    expect(await ask<ErrorAnswer>('ipControl', { address: A }, { action: 'burn', untill: 3 })).toMatchObject({
      error: { code: 'bad-request', problems: [{ path: 'action' }, { path: 'untill' }] },
    })
  })

  test('to drain is over when no router tells a lease', async () => {
    expect(await ask<IpControlled>('ipControl', { address: '127.0.1.3' }, { action: 'drain' })).toMatchObject({ mode: 'draining', until: null })
    expect((await allowances('google', ['spare'])).allowances).toMatchObject([{ ipMode: 'draining', lends: false }])
    await until('drained', async () => (await ask<IpReputation>('ipReputationOf', { address: '127.0.1.3' })).ips[0]?.mode === 'drained', 12_000)
  })
})

describe('outcomes', () => {
  test('that blame a source stop it there within a second, and are told with their reply', async () => {
    const heard: SourceChanged[] = []
    using _ = here.bus.hear(subject('sourceChanged', {}), ({ body }) => heard.push(decode<SourceChanged>(body)))
    await here.bus.flush()
    const began = performance.now()
    await publish([outcome(B, 'yahoo', unloved)])
    await until('the push', () => heard.length > 0, 1_000)
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(heard).toMatchObject([{ ip: B, site: 'yahoo', lends: false, because: 'reputation' }])
    expect((await isps(B)).yahoo).toMatchObject({ mode: 'cooling', deferred: 1, blamedBy: { acme: 1 } })
    let last: IpEvent | null = null
    for await (const { body } of here.bus.scan(STREAM.events, wildcard('ipEvent'))) last = JSON.parse(text(body)) as IpEvent
    expect(last).toMatchObject({ address: B, site: 'yahoo', from: 'steady', to: 'cooling', reply: '421 4.7.0 unloved' })
  })

  test('are counted exactly, over kill -9 and a stop between any two of them', async () => {
    const sites = ['google', 'gmx', 'example.jp']
    const kinds = [{}, {}, unknown, busy]
    const expected = new Map<string, number>()
    let made = 0
    const some = (): Outcome[] =>
      Array.from({ length: 1 + (made % 7) }, () => {
        made++
        const one = outcome([A, B][made % 2] as string, sites[made % 3] as string, kinds[(made * 7 + (made >> 3)) % 4])
        const key = `${one.ip} ${one.site} ${one.outcome}`
        expected.set(key, (expected.get(key) ?? 0) + 1)
        return one
      })
    const counted = async () => {
      const { ips } = await ask<IpReputation>('ipReputation')
      const rows = ips.flatMap(({ address, isps: of }) =>
        Object.entries(of)
          .filter(([site]) => sites.includes(site))
          .flatMap(([site, counts]) => (['delivered', 'deferred', 'bounced'] as const).map((word) => [`${address} ${site} ${word}`, counts[word]] as const)),
      )
      return new Map(rows.filter(([, count]) => count > 0).sort())
    }
    const wanted = () => new Map([...expected].sort())

    const standby = startProcess()
    for (let n = 0; n < 100; n++) await publish(some())
    const { epoch } = await allowances('google')
    await killed(owner) // between two saves, somewhere
    owner = standby
    for (let n = 0; n < 50; n++) await publish(some())
    expect((await ask<IpReputation>('ipReputation')).ips).toHaveLength(3)
    expect((await allowances('google')).epoch).toBeGreaterThan(epoch)
    for (let n = 0; n < 50; n++) await publish(some())
    await until('all counted', async () => (await counted()).size > 0 && JSON.stringify([...(await counted())]) === JSON.stringify([...wanted()]), 15_000)

    expect(await killed(owner, 'SIGTERM')).toBe(0)
    owner = startProcess()
    expect(await counted()).toEqual(wanted())
    expect((await isps(B)).yahoo).toMatchObject({ mode: 'cooling', deferred: 1 })
  })

  test('that nobody can read are passed over', async () => {
    const before = (await isps(A)).google?.delivered ?? 0
    await here.bus.store(subject('outcome', { tenant: 'acme', campaign: 'c', batch: 999_999 }), new TextEncoder().encode('{"v":1'))
    await publish([outcome(A, 'google')])
    await until('the next one counted', async () => (await isps(A)).google?.delivered === before + 1, 2_000)
  })
})
