/**
 * What a NATS server says of itself before anybody logs in: the INFO line (docs.nats.io, client protocol). Needs no credentials.
 */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { BadConfig } from '../../services/runtime/errors.ts'
import { isNewEnough, NATS_MINIMUM } from './nats-program.ts'

export interface ServerInfo {
  readonly version: string
  readonly jetstream: boolean
  readonly maxPayload: number
}

const ANSWER_WITHIN_MS = 2_000
const AGAIN_AFTER_MS = 100
const SAY_WAITING_AFTER_MS = 1_000
const SAY_WAITING_EVERY_MS = 5_000

/** Waits until one of the servers (`nats://host:port`, commas between) answers, and says so. Throws BadConfig for a server that Hato cannot use. */
export async function waitForNats(url: string, options: { readonly say: (line: string) => void; readonly signal: AbortSignal }): Promise<ServerInfo> {
  const servers = url.split(',').map((server) => parseServer(server.trim()))
  const beganMs = performance.now()
  let sayAtMs = beganMs + SAY_WAITING_AFTER_MS
  let waited = false
  for (;;) {
    options.signal.throwIfAborted()
    let because = ''
    for (const { host, port } of servers) {
      try {
        const info = await readInfo(host, port)
        if (waited) options.say(`NATS at ${host}:${port} is there, version ${info.version}`)
        return usable(info, `${host}:${port}`)
      } catch (error) {
        if (error instanceof BadConfig) throw error
        because = error instanceof Error ? error.message : String(error)
      }
    }
    if (performance.now() >= sayAtMs) {
      waited = true
      sayAtMs = performance.now() + SAY_WAITING_EVERY_MS
      options.say(`waiting for NATS at ${url} (${because})`)
    }
    await pause(AGAIN_AFTER_MS, undefined, { signal: options.signal }) // a port that opens tells nobody
  }
}

function usable(info: ServerInfo, where: string): ServerInfo {
  if (!isNewEnough(info.version)) {
    throw new BadConfig(
      `the NATS server at ${where} is version ${info.version}, Hato needs ${NATS_MINIMUM} or newer (scheduled messages, atomic batches). Upgrade it, or unset HATO_NATS_URL to use the embedded one`,
    )
  }
  if (!info.jetstream) throw new BadConfig(`the NATS server at ${where} runs without JetStream; start it with -js or a jetstream block in its configuration`)
  return info
}

/** Rejects when nothing listens there or what listens is no NATS. */
export async function readInfo(host: string, port: number): Promise<ServerInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<ServerInfo>()
  const socket = connect({ host, port })
  let said = ''
  socket.setTimeout(ANSWER_WITHIN_MS, () => reject(new Error(`${host}:${port} does not say it is a NATS server`)))
  socket.once('error', reject)
  socket.once('close', () => reject(new Error(`${host}:${port} closed without a word`)))
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const line = /^INFO (\{.*\})\s*\r?\n/.exec(said)
    if (line !== null) resolve(readLine(line[1] as string))
    else if (said.length > 100_000 || !'INFO '.startsWith(said.slice(0, 5))) reject(new Error(`${host}:${port} is not a NATS server`))
  })
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

function readLine(json: string): ServerInfo {
  const info = JSON.parse(json) as { version?: string; jetstream?: boolean; max_payload?: number }
  return { version: info.version ?? '0', jetstream: info.jetstream === true, maxPayload: info.max_payload ?? 0 }
}

function parseServer(server: string): { host: string; port: number } {
  try {
    const url = new URL(server.includes('://') ? server : `nats://${server}`)
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 4222) }
  } catch {
    throw new BadConfig(`HATO_NATS_URL is "${server}", which is no address such as nats://127.0.0.1:4222`)
  }
}
