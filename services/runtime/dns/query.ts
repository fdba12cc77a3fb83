import { rcodeName } from './answer.ts'
import type { DnsServer } from './servers.ts'
import { askOverTcp } from './tcp.ts'
import type { UdpChannel } from './udp.ts'
import type { Question, Reply } from './wire.ts'

/** Ask this server, and go on to the next step when nothing came within the pause. */
export interface Step {
  readonly server: DnsServer
  readonly waitMs: number
}

export type QueryResult = { readonly reply: Reply; readonly server: DnsServer } | { readonly noReply: string }

export interface RunningQuery {
  readonly result: Promise<QueryResult>
  /** ends it from outside; nothing happens when it has ended already */
  end(result: QueryResult): void
}

/** Cut replies are rare (DKIM keys, long TXT sets), and the resolver has the answer at hand when it cuts it. */
const TCP_TIMEOUT_MS = 5_000

/**
 * One question: asked by the plan, step after step, until a server answers; over TCP when the reply was cut. A late reply to an earlier step counts.
 * A server that fails (SERVFAIL, REFUSED …) is not asked again; its failure is the result when no other server knows better.
 */
export function startQuery(question: Question, plan: readonly Step[], channels: ReadonlyMap<DnsServer, UdpChannel>): RunningQuery {
  const { promise, resolve } = Promise.withResolvers<QueryResult>()
  let at = 0
  const failed = new Map<DnsServer, Reply>()
  const silent = new Map<DnsServer, string>()
  const withoutEdns = new Set<DnsServer>()
  const overTcp = new Set<DnsServer>()
  /** made when it is needed: most queries never go over TCP, and an abort costs more than the rest of a query */
  let stopTcp: AbortController | null = null
  const forgets: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let ended = false

  function end(result: QueryResult): void {
    if (ended) return
    ended = true
    clearTimeout(timer)
    stopTcp?.abort()
    for (const forget of forgets) forget()
    resolve(result)
  }

  function next(): void {
    clearTimeout(timer)
    if (ended) return
    let step = plan[at++]
    while (step !== undefined && failed.has(step.server)) step = plan[at++]
    if (step === undefined) {
      giveUp()
      return
    }
    timer = setTimeout(next, step.waitMs)
    send(step.server)
  }

  function giveUp(): void {
    const [failure] = failed
    const [because] = silent.values()
    const asked = [...channels.keys()].map((server) => server.address).join(', ')
    end(failure === undefined ? { noReply: because ?? `no reply from ${asked}` } : { server: failure[0], reply: failure[1] })
  }

  function send(server: DnsServer): void {
    const channel = channels.get(server) as UdpChannel
    const listener = { reply: (reply: Reply) => hear(server, reply), unreachable: (because: string) => hearNobody(server, because) }
    forgets.push(channel.ask(question, withoutEdns.has(server) ? 'without' : 'with', listener))
  }

  function hear(server: DnsServer, reply: Reply): void {
    if (ended) return
    const rcode = rcodeName(reply.rcode)
    if (reply.truncated) {
      askForTheWhole(server)
    } else if (rcode === 'FORMERR' && !withoutEdns.has(server)) {
      withoutEdns.add(server) // RFC 6891 7: it does not know EDNS0
      send(server)
    } else if (rcode === 'NOERROR' || rcode === 'NXDOMAIN') {
      end({ reply, server })
    } else {
      failed.set(server, reply)
      next()
    }
  }

  function hearNobody(server: DnsServer, because: string): void {
    silent.set(server, because)
    // Another server may do at once; when all refuse, the pauses give them time to come back.
    if ([...channels.keys()].some((other) => !silent.has(other) && !failed.has(other))) next()
  }

  function askForTheWhole(server: DnsServer): void {
    if (overTcp.has(server)) return // the reply to a repetition was cut too
    overTcp.add(server)
    stopTcp ??= new AbortController()
    void askOverTcp(server, question, withoutEdns.has(server) ? 'without' : 'with', TCP_TIMEOUT_MS, stopTcp.signal).then((reply) => {
      overTcp.delete(server)
      if (reply !== null) hear(server, reply)
    })
  }

  next()
  return { result: promise, end }
}
