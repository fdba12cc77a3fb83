import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { LeaseHolder } from './lease-holder.ts'
import { LeaseCounts } from './lease-counts.ts'
import { Weighing } from './policy/judging.ts'
import { judge } from './policy/replies/judge.ts'
import type { Routes } from './routes.ts'
import { Door, openDoor } from './session-door.ts'
import { TIMEOUTS } from './smtp/timeouts.ts'
import type { PlaintextHosts } from './tls/plaintext-hosts.ts'
import type { Roots } from './tls/roots.ts'

/** A way out that swallows every connect: a proxy that never answers is the loopback's port 25 behind a silent firewall. */
async function silentWayOut() {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}

test('connects that time out at the fifth site blame us: no host is left alone for it, and no site counts a failed connect', async () => {
  await using wayOut = await silentWayOut()
  const failed: string[] = []
  const weighing = new Weighing()
  const door = new Door({
    routes: { failed: (host: string) => failed.push(host), worked: () => {}, takesNone: () => false } as unknown as Routes,
    judge: (heard) => weighing.weigh(judge(heard), heard.source, 0),
    timeouts: { ...TIMEOUTS, connectMs: 40 },
    roots: { context: undefined } as unknown as Roots,
    reporter: { seen: () => {} },
    plaintext: { has: () => false } as unknown as PlaintextHosts,
    mono: () => performance.now(),
  })
  const tried = async (site: string) => {
    const lease = { ip: '203.0.113.7', bind: '127.0.1.1', site, provider: null, ehlo: 'mx.hato.example', egress: `socks5://127.0.0.1:${wayOut.port}` }
    const terms = { tls: 'opportunistic', protocol: 'smtp', unknown: 'plain', idleMs: 1_000 }
    const holder = { lease: { ...lease, terms }, mayConnect: async () => true, occupy: () => {} } as unknown as LeaseHolder
    const answer = await openDoor([{ host: `mx.${site}`, address: '127.0.2.1', port: 25 }], [`mx.${site}`, `mx2.${site}`], holder, door)
    if (answer.kind === 'open' || answer.finding === null) throw new Error('the door should be shut')
    const counts = new LeaseCounts()
    counts.count(answer.finding)
    return { blames: answer.finding.blames, classes: counts.drain().classes, because: answer.finding.because }
  }
  const sites = ['one.example', 'two.example', 'three.example', 'four.example']
  for (const site of sites) expect(await tried(site)).toMatchObject({ blames: 'host', classes: { unreachable: 1 } })
  expect(await tried('five.example')).toMatchObject({ blames: 'us', classes: { resting: 1 }, because: expect.stringContaining('port-25-closed') })
  expect(failed).toEqual(sites.map((site) => `mx.${site}`))
})
