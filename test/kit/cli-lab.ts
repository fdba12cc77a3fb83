/** What `hato` is tried on: a real nats-server, scheduler and ip-manager under a fleet of two addresses; domain-router and sender are missing on purpose. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'smol-toml'
import { afterAll, beforeAll, expect } from 'vitest'
import { BUCKETS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { startWorld, type World } from '../../scripts/world/world.ts'
import { natsForFile } from './bus.ts'
import { loopbackFleet } from './fleets.ts'
import { hato as hatoAt, type Said } from './hato.ts'

export interface CliLab extends ReturnType<typeof natsForFile> {
  /** what the fleet's DNS and mail hosts are */
  readonly world: World
  /** for files; gone at the end */
  readonly folder: string
  hato(...args: readonly string[]): Promise<Said>
  /** its path */
  file(name: string, content: string | object): Promise<string>
  fleetFile(more?: object): Promise<string>
}

/** For all tests of a file. */
export function cliForFile(): CliLab {
  const here = natsForFile() as { -readonly [K in keyof CliLab]: CliLab[K] }
  const actors: ChildProcess[] = []
  const start = (role: string): void => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HATO_')))
    const stdio: ('ignore' | 'inherit')[] = ['ignore', 'ignore', 'inherit']
    actors.push(spawn(process.execPath, [`services/${role}/main.ts`], { env: { ...env, HATO_NATS_URL: here.nats.url }, stdio }))
  }
  here.hato = (...args) => hatoAt(here.nats.url, ...args)
  here.file = async (name, content) => {
    const path = join(here.folder, name)
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  here.fleetFile = (more = {}) => here.file('fleet.toml', stringify(loopbackFleet(here.world, { ips: 2, more })))

  beforeAll(async () => {
    here.world = await startWorld({ behaviours: 'none' })
    here.folder = await mkdtemp(join(tmpdir(), 'hato-cli-'))
    await here.bus.ensureStreams(STREAMS)
    await here.bus.ensureBuckets(BUCKETS)
    await here.bus.ensureObjectBucket(OBJECT_BUCKET)
    start('ip-manager')
    // The scheduler waits for a fleet; ip-manager may still be starting, and hato waits for it.
    let applied = await here.hato('apply', await here.fleetFile())
    for (let tries = 0; applied.code === 69 && tries < 10; tries++) applied = await here.hato('apply', await here.fleetFile())
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('fleet revision 1 is in force: 2 IPs, 1 pool, 1 tenant') })
    start('scheduler')
  }, 120_000)
  afterAll(async () => {
    await Promise.all(
      actors.map((child) => {
        const gone = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        return gone
      }),
    )
    await here.world?.[Symbol.asyncDispose]()
    if (here.folder) await rm(here.folder, { recursive: true, force: true })
  })
  return here
}
