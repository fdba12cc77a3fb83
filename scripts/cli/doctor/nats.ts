/** Is the NATS server one that Hato can use, and how full is it? */
import { LIMITS } from '../../../protocol/campaign.ts'
import { STREAMS } from '../../../protocol/streams.ts'
import type { Bus, StreamState } from '../../../services/runtime/bus.ts'
import { InvariantBroken } from '../../../services/runtime/errors.ts'
import { isNewEnough, NATS_MINIMUM } from '../../start/nats-program.ts'
import { readInfo, type ServerInfo } from '../../start/nats-probe.ts'
import { bytes, count, percent } from '../format.ts'
import { bad, type Diagnosis, good, note, unknown, warning } from './diagnosis.ts'

/** Above these shares of the store intake and expansion stop (design §3). */
const INTAKE_STOPS = 0.7
const EXPANSION_STOPS = 0.8

export async function lookAtNats(bus: Bus, url: string): Promise<Diagnosis[]> {
  const servers = await Promise.all(url.split(',').map((server) => lookAtServer(server.trim())))
  const states = new Map<string, StreamState | null>()
  for (const { name } of STREAMS) states.set(name, await stateOf(bus, name))
  return [...servers, ...judgeStreams(states), judgeStore(await bus.storeUse())]
}

async function lookAtServer(server: string): Promise<Diagnosis> {
  const { protocol, hostname, port } = new URL(server.includes('://') ? server : `nats://${server}`)
  if (protocol === 'ws:' || protocol === 'wss:') return note(`${server} is reached by WebSocket; its version was not asked`)
  try {
    return judgeServer(await readInfo(hostname.replace(/^\[|\]$/g, ''), Number(port || 4222)), server)
  } catch (error) {
    return unknown(`${server} does not say what it is: ${error instanceof Error ? error.message : error}`)
  }
}

export function judgeServer({ version, jetstream, maxPayload }: ServerInfo, server: string): Diagnosis {
  const says = `nats-server ${version} at ${server}`
  if (!isNewEnough(version)) return bad(`${says} is too old, ${NATS_MINIMUM} or newer is needed (scheduled messages, atomic batches)`)
  if (!jetstream) return bad(`${says} runs without JetStream; start it with a jetstream block in its configuration`)
  if (maxPayload < LIMITS.messageBytes)
    return warning(`${says} takes messages up to ${bytes(maxPayload)} only; with max_payload: 8MB campaigns may carry more recipients themselves`)
  return good(`${says}, JetStream, messages up to ${bytes(maxPayload)}`)
}

async function stateOf(bus: Bus, stream: string): Promise<StreamState | null> {
  try {
    return await bus.streamState(stream)
  } catch (error) {
    if (error instanceof InvariantBroken) return null // the server knows no such stream
    throw error
  }
}

export function judgeStreams(states: ReadonlyMap<string, StreamState | null>): Diagnosis[] {
  const missing = [...states].filter(([, state]) => state === null).map(([name]) => name)
  if (missing.length === states.size) return [bad('there is no stream of Hato: no cluster has run on this server yet; npm start makes them')]
  if (missing.length > 0) return [bad(`streams are missing: ${missing.join(', ')}; a restart of the cluster makes them`)]
  const shown = [...states].map(([name, state]) => `${name} ${count(state?.messages ?? 0)} (${bytes(state?.bytes ?? 0)})`)
  return [good(`${states.size} streams, messages and size: ${shown.join(', ')}`)]
}

export function judgeStore({ usedBytes, allowedBytes }: { readonly usedBytes: number; readonly allowedBytes: number }): Diagnosis {
  if (allowedBytes <= 0) return good(`the store holds ${bytes(usedBytes)}; the account has no limit of its own`)
  const says = `the store holds ${bytes(usedBytes)} of ${bytes(allowedBytes)} (${percent(usedBytes, allowedBytes)})`
  const share = usedBytes / allowedBytes
  if (share > EXPANSION_STOPS) return bad(`${says}: above 80 % no list is read on, above 70 % no campaign is accepted. Make room or raise max_file_store`)
  if (share > INTAKE_STOPS) return bad(`${says}: above 70 % no campaign is accepted until it empties. Make room or raise max_file_store`)
  return share > INTAKE_STOPS * 0.8 ? warning(`${says}; at 70 % no campaign is accepted any more`) : good(says)
}
