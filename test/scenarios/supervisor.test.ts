import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KEYS } from '../../protocol/buckets.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { until } from '../kit/bus.ts'
import { startCluster } from '../kit/cluster.ts'
import { freePort, startNats } from '../kit/nats.ts'
import { isAlive } from '../kit/processes.ts'

const FLEET = {
  network: { dns: ['127.0.0.1:9'], only_private_mx: true },
  tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example' }],
  pool: [{ name: 'acme' }],
  ip: [{ address: '127.0.1.1', pool: 'acme', ehlo: 'mx1.hato.example' }],
}
const FLEET_FILE = `[[tenant]]
name = "acme"
domains = ["acme.example"]
return_path = "bounce.acme.example"
`

describe('a cluster that runs', () => {
  test('restarts what dies, frees its shards at once, keeps the store, and ends with no process left when npm gets SIGTERM', async () => {
    await using cluster = await startCluster({ fleet: FLEET, through: 'npm', senders: 1 })
    const before = await cluster.state()
    const owners = openBucket(cluster.bus, 'owners')

    const router = before.actors.find(({ role }) => role === 'domain-router')
    const killedMs = performance.now()
    await cluster.kill('domain-router')
    await until('the dead router’s key to be gone', async () => (await owners.get(KEYS.node('domain-router', router?.nodeId ?? ''))) === null)
    expect(performance.now() - killedMs).toBeLessThan(1_000) // its TTL is 3 s
    await until(
      'another router to have started',
      async () => (await cluster.state()).actors.some(({ role, lives, health }) => role === 'domain-router' && lives === 2 && health !== null),
      20_000,
    )

    const kept = (await openBucket(cluster.bus, 'fleet').get(KEYS.fleet))?.revision
    await cluster.kill('nats-server')
    await until('the connection to be back', async () => cluster.bus.connected && (await cluster.state()).nats?.lives === 2, 20_000)
    expect((await openBucket(cluster.bus, 'fleet').get(KEYS.fleet))?.revision).toBe(kept)

    expect(await cluster.stop()).toBe(0)
    expect(await cluster.processes()).toEqual([])
  })

  test('leaves nothing behind 5 s after its supervisor was killed, and the next one takes the same store', async () => {
    await using cluster = await startCluster({ fleet: FLEET, senders: 1 })
    await cluster.kill('supervisor')
    const killedMs = performance.now()
    await until('every process to be gone', async () => (await cluster.processes()).length === 0, 10_000)
    expect(performance.now() - killedMs).toBeLessThan(5_500) // the look itself takes a while on a busy machine
    await cluster.start()
    expect((await cluster.state()).actors.every(({ health }) => health !== null)).toBe(true)
  })

  test('waits for a NATS server that is not there yet, says so, and takes two Ctrl-C within milliseconds for one', async () => {
    const port = await freePort()
    await using start = runStart({
      HATO_FLEET: await fleetFile(FLEET_FILE),
      HATO_DATA: join(folder, 'data'),
      HATO_NATS_URL: `nats://127.0.0.1:${port}`,
      HATO_SENDERS: '1',
    })
    await until('it says what it waits for', () => start.err().includes(`waiting for NATS at nats://127.0.0.1:${port}`), 10_000)
    await using _nats = await startNats({ port })
    await until('it is ready', () => start.out() !== '', 40_000)
    expect(start.out()).toBe(`hato ready nats=nats://127.0.0.1:${port}\n`)
    start.signal('SIGINT')
    start.signal('SIGINT')
    expect(await start.code).toBe(0)
  })
})

describe('a cluster that cannot run says why', () => {
  test('a port that is taken: which one, by whom, what to set', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    await using start = runStart({ HATO_FLEET: await fleetFile(FLEET_FILE), HATO_DATA: join(folder, 'data'), HATO_NATS_PORT: String(port) })
    expect(await start.code).toBe(69)
    expect(start.err()).toMatch(new RegExp(`port ${port} on 127.0.0.1 is taken by \\S.* \\(pid ${process.pid}\\)`))
    expect(start.err()).toContain('HATO_NATS_PORT')
    holder.close()
    await once(holder, 'close')
  })

  test('a NATS server that is too old: both versions', async () => {
    const old = createServer((socket) => socket.end('INFO {"server_id":"x","version":"2.10.22","jetstream":true}\r\n')).listen(0, '127.0.0.1')
    await once(old, 'listening')
    const { port } = old.address() as AddressInfo
    await using start = runStart({ HATO_FLEET: await fleetFile(FLEET_FILE), HATO_DATA: join(folder, 'data'), HATO_NATS_URL: `nats://127.0.0.1:${port}` })
    expect(await start.code).toBe(78)
    expect(start.err()).toMatch(/is version 2\.10\.22, Hato needs 2\.12\.0 or newer/)
    old.close()
    await once(old, 'close')
  })

  test.each([
    [
      'a typo in the fleet file',
      { HATO_FLEET: 'fleet' },
      `${FLEET_FILE}wieght = 2\n`,
      /fleet\.toml:5: tenant\[0\]\.wieght is not a key there; did you mean weight\?/,
    ],
    [
      'a misspelt variable',
      { HATO_FLEET: 'fleet', HATO_SENDRES: '3' },
      FLEET_FILE,
      /HATO_SENDRES is not a setting of this service; did you mean HATO_SENDERS\?/,
    ],
    ['no fleet at all', { HATO_NATS_PORT: '0' }, '', /there is no fleet yet: set HATO_FLEET/],
  ])('%s: exit 78', async (_, env: Record<string, string>, text, said) => {
    const file = await fleetFile(text)
    await using start = runStart({ HATO_DATA: join(folder, 'data'), ...env, ...(env.HATO_FLEET === 'fleet' ? { HATO_FLEET: file } : {}) })
    expect(await start.code).toBe(78)
    expect(start.err()).toMatch(said)
    expect(start.out()).toBe('')
  })

  test('a second cluster on the same data folder', async () => {
    const env = { HATO_FLEET: await fleetFile(FLEET_FILE), HATO_DATA: join(folder, 'data'), HATO_NATS_PORT: '0', HATO_SENDERS: '1' }
    await using first = runStart(env)
    await until('the first has its server', () => first.err().includes('listens on'), 10_000)
    await using second = runStart(env)
    expect(await second.code).toBe(78)
    expect(second.err()).toContain('another cluster runs on the data folder')
    first.signal('SIGTERM') // in the middle of starting
    expect(await first.code).toBe(0)
  })
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hato-start-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function fleetFile(text: string): Promise<string> {
  const file = join(folder, 'fleet.toml')
  await writeFile(file, text)
  return file
}

const START = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

function runStart(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [START], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  return {
    out: () => out,
    err: () => err,
    code: closed.then(([code]) => code),
    signal: (name: NodeJS.Signals) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined && isAlive(child.pid)) child.kill('SIGTERM')
      await closed
    },
  }
}
