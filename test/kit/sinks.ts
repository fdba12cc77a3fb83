/**
 * Far ends that this project did not write: Postfix's smtp-sink on loopback addresses, each with domains whose MX leads there.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openFaults } from '../../scripts/world/dns/answer.ts'
import { type SenderFacts, senderRecords } from '../../scripts/world/dns/sender-records.ts'
import { startDns } from '../../scripts/world/dns/server.ts'
import { openZone, publish, type ZoneRecord } from '../../scripts/world/dns/zone.ts'
import { isFree } from '../../scripts/start/port-holder.ts'
import { until } from './bus.ts'
import { freePort } from './nats.ts'

export interface Sinks extends AsyncDisposable {
  /** `127.0.0.1:5355`, for `[network] dns` */
  readonly dns: string
  /** the same on every sink, for `[network] smtp_port` */
  readonly smtpPort: number
  /** domains, dealt over the sinks: `d0.sink0.example` … */
  readonly domains: readonly string[]
  /** further names; the sinks' hosts are `mx.sink0.example` … */
  publish(records: Iterable<ZoneRecord>): void
  /** where sink number `n` listens */
  address(n: number): string
  publishSenderRecords(facts: Omit<SenderFacts, 'inbound'>): void
  /** what the sinks' own counters say: mails with their dot */
  counted(): number
  /** recipient → how often each Message-ID was stored for it, from the sinks' own dumps. Only what they have finished writing. */
  stored(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>
}

/** An ordinary user's PATH has no sbin. */
const SINK_PATHS = ['/usr/sbin/smtp-sink', '/usr/local/sbin/smtp-sink']
const address = (sink: number) => `127.0.2.${200 + sink}`

export async function startSinks(count: number, domainsEach = 10): Promise<Sinks> {
  const folder = await mkdtemp(join(tmpdir(), 'hato-sinks-'))
  await chmod(folder, 0o777) // as root, smtp-sink becomes somebody else
  await using starting = new AsyncDisposableStack()
  starting.defer(() => rm(folder, { recursive: true, force: true }))
  const smtpPort = await portFreeOnAll(count)
  const sinks: Sink[] = []
  for (let n = 0; n < count; n++) sinks.push(starting.use(await startSink(n, smtpPort, join(folder, `sink${n}`))))
  const zone = openZone(Array.from({ length: count }, (_, sink) => sinkRecords(sink, domainsEach)).flat())
  const dns = starting.use(await startDns({ zone, faults: openFaults(), address: '127.0.0.1', port: 0 }))
  const parts = starting.move()
  return {
    dns: `127.0.0.1:${dns.port}`,
    smtpPort,
    domains: Array.from({ length: domainsEach }, (_, n) => sinks.map((_, sink) => domainName(n, sink))).flat(),
    publishSenderRecords: (facts) => publish(zone, senderRecords({ inbound: '127.0.2.250', ...facts })),
    publish: (records) => publish(zone, records),
    address,
    counted: () => sinks.reduce((sum, sink) => sum + sink.counted(), 0),
    async stored() {
      const all = new Map<string, Map<string, number>>()
      for (let n = 0; n < count; n++) await readDump(join(folder, `sink${n}`), all)
      return all
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

interface Sink extends AsyncDisposable {
  counted(): number
}

async function startSink(n: number, port: number, dump: string): Promise<Sink> {
  const program = SINK_PATHS.find((path) => existsSync(path)) ?? 'smtp-sink'
  const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const child: ChildProcess = spawn(program, [...user, '-c', '-m', '500', '-D', dump, `${address(n)}:${port}`, '500'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out = (out + text).slice(-400) // running counters, each line over the one before
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const gone = Promise.withResolvers<void>()
  let ended = ''
  child.once('exit', () => {
    ended = err || 'no word'
    gone.resolve()
  })
  child.once('error', (error) => {
    ended = `${error.message}: smtp-sink comes with Debian's package postfix`
    gone.resolve()
  })
  await until(`smtp-sink on ${address(n)}:${port}`, async () => {
    if (ended !== '') throw new Error(`smtp-sink ended: ${ended}`)
    return accepts(address(n), port)
  })
  return {
    counted: () => Number([...out.matchAll(/mesg=(\d+)/g)].at(-1)?.[1] ?? 0),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone.promise
    },
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port })
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

async function portFreeOnAll(count: number): Promise<number> {
  for (;;) {
    const port = await freePort(address(0))
    const free = await Promise.all(Array.from({ length: count }, (_, n) => isFree(address(n), port)))
    if (free.every(Boolean)) return port
  }
}

const domainName = (n: number, sink: number) => `d${n}.sink${sink}.example`

function sinkRecords(sink: number, domainsEach: number): ZoneRecord[] {
  const exchange = `mx.sink${sink}.example`
  return [
    { name: exchange, ttlS: 60, type: 'A', data: address(sink) },
    ...Array.from({ length: domainsEach }, (_, n): ZoneRecord => ({ name: domainName(n, sink), ttlS: 60, type: 'MX', data: { preference: 10, exchange } })),
  ]
}

/** The dump's form stands in smtp-sink(1): `X-Rcpt-Args: <…>` before each mail's own header. */
async function readDump(file: string, into: Map<string, Map<string, number>>): Promise<void> {
  if (!existsSync(file)) return // it has not had a mail yet
  let rcpts: string[] = []
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    const rcpt = /^X-Rcpt-Args: <(.*)>/.exec(line)?.[1]
    if (line.startsWith('X-Client-Addr: ')) rcpts = []
    if (rcpt !== undefined) rcpts.push(rcpt)
    const messageId = /^message-id: *(\S+)/i.exec(line)?.[1]
    if (messageId === undefined) continue
    for (const to of rcpts) {
      const mails = into.get(to) ?? new Map<string, number>()
      into.set(to, mails.set(messageId, (mails.get(messageId) ?? 0) + 1))
    }
    rcpts = []
  }
}
