import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

/** Why this process cannot work right now; empty = ready. */
export type NotReady = readonly string[]

export interface Health extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** adds a gate that every /readyz asks */
  gate(ask: () => NotReady): void
}

/** `/healthz` (this process answers), `/readyz` (200, or 503 with the reasons), `/metrics` (Prometheus text). */
export async function startHealth(options: { readonly host: string; readonly port: number; readonly metrics: Metrics }): Promise<Health> {
  const gates: (() => NotReady)[] = []
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => response.writeHead(status, { 'content-type': type }).end(body)
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(200, 'application/json', '{"ok":true}\n')
      case '/readyz': {
        const because = gates.flatMap((ask) => ask())
        return answer(because.length === 0 ? 200 : 503, 'application/json', `${JSON.stringify({ ready: because.length === 0, because })}\n`)
      }
      case '/metrics':
        return options.metrics.text().then(
          (text) => answer(200, options.metrics.contentType, text),
          (error: unknown) => answer(500, 'text/plain', `${error}\n`),
        )
      default:
        return answer(404, 'text/plain', 'there are /healthz, /readyz and /metrics\n')
    }
  })
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(options.port, options.host, resolve)
  await listening
  return {
    host: options.host,
    port: (server.address() as AddressInfo).port,
    gate: (ask) => void gates.push(ask),
    [Symbol.asyncDispose]: () => {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      return closed.promise
    },
  }
}
