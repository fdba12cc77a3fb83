import type { DnsServer } from './servers.ts'
import { openUdpChannel } from './udp.ts'
import { startQuery } from './query.ts'
import type { QueryResult, RunningQuery, Step } from './query.ts'
import type { Question } from './wire.ts'

/** Questions to the servers we know: sockets kept open, a bounded number in flight, the server that answers asked first. */
export interface Exchange extends AsyncDisposable {
  ask(question: Question): Promise<QueryResult>
}

export interface ExchangeOptions {
  readonly servers: readonly DnsServer[]
  /** pause before the first repetition, doubling each round over the servers, at most `REPEAT_MAX_MS` */
  readonly timeoutMs: number
  /** how often each server is asked */
  readonly tries: number
}

const REPEAT_MAX_MS = 6_000
/** More at once overflows the receive buffers (~100 replies fit into the usual 208 KB a socket) and is lost; the rest waits its turn. */
const IN_FLIGHT_MAX = 300
const CLOSED: QueryResult = { noReply: 'the resolver was closed' }

export function openExchange(options: ExchangeOptions): Exchange {
  const channels = new Map(options.servers.map((server) => [server, openUdpChannel(server)]))
  const inFlight = new Set<RunningQuery>()
  const queue: (() => void)[] = []
  let closed = false
  /** the server that answered last goes first, so that a dead first entry of resolv.conf costs one time-out and not one per name */
  let first = 0
  const plans = options.servers.map((_, at) => planOf(options, at))

  return {
    async ask(question) {
      if (inFlight.size >= IN_FLIGHT_MAX) await new Promise<void>((go) => queue.push(go))
      if (closed) return CLOSED
      const query = startQuery(question, plans[first] as readonly Step[], channels)
      inFlight.add(query)
      const result = await query.result
      inFlight.delete(query)
      if ('server' in result) first = options.servers.indexOf(result.server)
      queue.shift()?.()
      return result
    },
    async [Symbol.asyncDispose]() {
      closed = true
      for (const go of queue.splice(0)) go()
      for (const query of inFlight) query.end(CLOSED)
      for (const channel of channels.values()) channel.close()
    },
  }
}

function planOf(options: ExchangeOptions, first: number): readonly Step[] {
  const order = [...options.servers.slice(first), ...options.servers.slice(0, first)]
  const pausesMs = Array.from({ length: options.tries }, (_, round) => Math.min(options.timeoutMs * 2 ** round, REPEAT_MAX_MS))
  return pausesMs.flatMap((waitMs) => order.map((server) => ({ server, waitMs })))
}
