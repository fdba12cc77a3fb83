/** The control door of a world that runs as a process: HTTP with JSON on one loopback port. Strict: what it does not
 *  understand is a 400 that says what it would have understood. */
import { once } from 'node:events'
import http from 'node:http'
import { z } from 'zod'
import { BLOCK_LIST_TESTS } from './dns/block-list.ts'
import { DNS_FAULTS } from './dns/answer.ts'
import { FAULT_DEEDS, FAULT_STAGES } from './models/fault.ts'
import { notMet } from './behaviours-met.ts'
import { canonical } from './models/address.ts'
import type { World } from './world.ts'

const Fault = z.strictObject({
  stage: z.enum(FAULT_STAGES),
  does: z.enum(FAULT_DEEDS),
  code: z.int().min(200).max(599).exactOptional(),
  enhanced: z.string().exactOptional(),
  text: z.string().exactOptional(),
  waitMs: z.int().min(0).exactOptional(),
  sources: z.array(z.string()).exactOptional(),
  times: z.int().min(1).exactOptional(),
  until: z.number().exactOptional(),
})
/** `fault: null` lifts */
const IspFaultOrder = z.strictObject({ isp: z.string(), id: z.string(), fault: Fault.nullable() })
const DnsFaultOrder = z.strictObject({ dns: z.string(), fault: z.enum(DNS_FAULTS).nullable() })
const Published = z.strictObject({
  campaign: z.string(),
  addresses: z.array(z.string()),
  dedupe: z.enum(['address', 'none']).exactOptional(),
  excused: z.array(z.string()).exactOptional(),
  claimed: z.array(z.string()).exactOptional(),
})
const Facts = z.strictObject({
  sources: z.array(z.strictObject({ address: z.string(), ehlo: z.string() })),
  tenants: z.array(z.strictObject({ domains: z.array(z.string()), returnPath: z.string() })),
  dkim: z.array(z.strictObject({ domain: z.string(), selector: z.string(), publicKey: z.string(), type: z.enum(['rsa', 'ed25519']).exactOptional() })),
  inbound: z.string().exactOptional(),
})

const BlockList = z.strictObject({ zone: z.string(), listed: z.record(z.string(), z.string()), tests: z.enum(BLOCK_LIST_TESTS).exactOptional() })

type Route = (world: World, url: URL, text: () => Promise<string>) => unknown

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /record': (world, url) => {
    const rcpt = url.searchParams.get('rcpt')
    return rcpt === null ? world.summary() : { rcpt, arrivals: world.record.arrivals(canonical(rcpt)) }
  },
  'POST /verdict': async (world, _url, text) => world.verdict(readPublished(await text())),
  'GET /isps': (world) => {
    const met = world.behavioursMet()
    return { isps: met, notMet: notMet(met) }
  },
  'GET /addresses': (world) => ({
    base: world.base,
    smtpPort: world.smtpPort,
    dns: world.dns,
    hosts: world.addresses.all.map(({ host, address, row }) => ({ host, address, isp: row.name })),
    domains: world.rows.flatMap(({ name, domains }) => domains.map(({ domain, mx }) => ({ domain, isp: name, mx }))),
  }),
  'POST /fault': async (world, _url, text) => {
    const order: unknown = JSON.parse(await text())
    if (typeof order === 'object' && order !== null && 'dns' in order) {
      const { dns, fault } = DnsFaultOrder.parse(order)
      world.dnsFault(dns, fault)
    } else {
      const { isp, id, fault } = IspFaultOrder.parse(order)
      if (fault === null) world.lift(isp, id)
      else world.fault(isp, id, fault)
    }
    return { ok: true }
  },
  'POST /publish-sender-records': async (world, _url, text) => {
    world.publishSenderRecords(Facts.parse(JSON.parse(await text())))
    return { ok: true }
  },
  'POST /publish-block-list': async (world, _url, text) => {
    const { zone, listed, tests } = BlockList.parse(JSON.parse(await text()))
    world.publishBlockList(zone, listed, tests)
    return { ok: true }
  },
}

/** `{"published": […]}`, or a line of JSON per campaign for long lists. */
function* readPublished(text: string): Iterable<z.infer<typeof Published>> {
  if (text.trimStart().startsWith('{"published"')) {
    yield* z.strictObject({ published: z.array(Published) }).parse(JSON.parse(text)).published
    return
  }
  for (const line of text.split('\n')) if (line.trim() !== '') yield Published.parse(JSON.parse(line))
}

/** A list of ten million addresses has 300 MB; more than this is a mistake. */
const BODY_MAX_BYTES = 512 * 1024 * 1024

export async function startControl(world: World, address: string, port: number): Promise<AsyncDisposable & { readonly url: string }> {
  const server = http.createServer((request, response) => {
    void respond(world, request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
    })
  })
  server.listen(port, address)
  await once(server, 'listening')
  const bound = server.address()
  return {
    url: `http://${address}:${bound !== null && typeof bound === 'object' ? bound.port : port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}

async function respond(world: World, request: http.IncomingMessage): Promise<{ status: number; body: unknown }> {
  const url = new URL(request.url ?? '/', 'http://world')
  const route = ROUTES[`${request.method} ${url.pathname}`]
  if (route === undefined) return { status: 404, body: { error: `there are ${Object.keys(ROUTES).join(', ')}` } }
  try {
    return { status: 200, body: await route(world, url, () => readAll(request)) }
  } catch (error) {
    if (error instanceof z.ZodError) return { status: 400, body: { error: z.prettifyError(error) } }
    if (error instanceof SyntaxError || error instanceof RangeError) return { status: 400, body: { error: error.message } }
    return { status: 500, body: { error: String(error) } }
  }
}

async function readAll(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new RangeError('the body is no bytes')
    bytes += chunk.length
    if (bytes > BODY_MAX_BYTES) throw new RangeError(`a body over ${BODY_MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
