import { decode, decodePublic, encode, encodeJson } from '../../protocol/codec.ts'
import { type ErrorAnswer, IspControl, type IspStatus } from '../../protocol/messages/ops.ts'
import { shardOf } from '../../protocol/site.ts'
import { readSubject, subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Call } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Owners } from '../runtime/owners.ts'
import type { ControlAnswer } from './policy/messages.ts'
import { type Network, providerOf } from './policy/network.ts'
import type { ShardActor } from './shard-actor.ts'

export interface IspDoorOptions {
  readonly bus: Bus
  readonly log: Log
  readonly nodeId: string
  readonly owners: Owners
  readonly network: () => Network
  /** ours */
  readonly shards: ReadonlyMap<string, ShardActor>
  readonly askWithinMs: number
}

const QUEUE = 'domain-router'

/** The public door, served by every router process: answers for its own shards and asks the owners of the others. */
export function openIspDoor(options: IspDoorOptions): Disposable {
  const { bus } = options
  const stack = new DisposableStack()
  stack.use(bus.serve(subject('ispStatus', {}), async (call) => call.reply(encodeJson(await everySite(options))), { queue: QUEUE }))
  stack.use(bus.serve(wildcard('ispStatusOf'), async (call) => call.reply(encodeJson(await oneSite(siteIn('ispStatusOf', call), options))), { queue: QUEUE }))
  stack.use(bus.serve(wildcard('ispControl'), async (call) => call.reply(encodeJson(await control(call, options))), { queue: QUEUE }))
  return stack
}

function siteIn(row: 'ispStatusOf' | 'ispControl', call: Call): string {
  return readSubject(row, call.subject)?.site ?? ''
}

/** Every site that has mail, leases, orders of people, or memory of the last minutes. A router that does not answer is left out, and named in the log. */
async function everySite(options: IspDoorOptions): Promise<IspStatus> {
  const { log, nodeId, owners, shards } = options
  const others = [...owners.shards()].filter(([shard, { owner }]) => owner !== null && owner !== nodeId && !shards.has(shard))
  const answers = await Promise.all(
    others.map(async ([shard, { owner }]) => {
      const sites = await askOwner<IspStatus['sites']>(subject('siteStatus', { shard }), { site: null }, options)
      if (sites === null) log.warn('status-incomplete', { shard, owner })
      return sites ?? []
    }),
  )
  const own = [...shards.values()].flatMap((shard) => shard.status(null))
  return { sites: [...own, ...answers.flat()].sort((a, b) => (a.site < b.site ? -1 : 1)) }
}

async function oneSite(site: string, options: IspDoorOptions): Promise<IspStatus | ErrorAnswer> {
  const shard = shardOfSite(site, options)
  const own = options.shards.get(shard)
  if (own !== undefined) {
    const sites = own.status(site)
    return sites.length > 0 ? { sites } : noOwner(site, shard)
  }
  const sites = await askOwner<IspStatus['sites']>(subject('siteStatus', { shard }), { site }, options)
  return sites !== null && sites.length > 0 ? { sites } : noOwner(site, shard)
}

async function control(call: Call, options: IspDoorOptions): Promise<ControlAnswer | ErrorAnswer> {
  const site = siteIn('ispControl', call)
  const body = decodePublic(call.body)
  if (body.kind === 'unreadable') return { error: { code: 'unreadable', message: `isp.control of ${site}: ${body.because}` } }
  const read = IspControl.safeParse(body.body)
  if (!read.success) {
    const problems = read.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
    return { error: { code: 'bad-request', message: `isp.control of ${site} was not understood; nothing was changed`, problems } }
  }
  const shard = shardOfSite(site, options)
  const own = options.shards.get(shard)
  if (own !== undefined) return own.control(site, read.data)
  return (await askOwner<ControlAnswer | ErrorAnswer>(subject('siteControl', { shard }), { site, control: read.data }, options)) ?? noOwner(site, shard)
}

/** Null when nobody answers in time, or we end. */
async function askOwner<T>(to: string, body: object, { bus, askWithinMs }: IspDoorOptions): Promise<T | null> {
  try {
    const answer = await bus.ask(to, encode(body), { timeoutMs: askWithinMs })
    return answer.kind === 'answer' ? decode<T>(answer.body) : null
  } catch (error) {
    if (!(error instanceof Infrastructure)) throw error
    return null
  }
}

function shardOfSite(site: string, { network }: IspDoorOptions): string {
  return shardOf(site, providerOf(site, network().providers))
}

function noOwner(site: string, shard: string): ErrorAnswer {
  return { error: { code: 'no-owner', message: `${site}: no router answers for shard ${shard} right now; a new owner is there within seconds, ask again` } }
}
