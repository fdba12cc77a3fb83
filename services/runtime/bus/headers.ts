import { headers as newHeaders, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import type { Headers, StoreOptions } from './types.ts'

export const NO_HEADERS: Headers = Object.freeze({})

export function readHeaders(msg: Msg): Headers {
  const from = msg.headers
  if (from === undefined) return NO_HEADERS
  const read: Record<string, string> = {}
  for (const key of from.keys()) read[key] = from.get(key)
  return read
}

export function writeHeaders(from: Headers): MsgHdrs {
  const written = newHeaders()
  for (const key in from) written.set(key, from[key] as string)
  return written
}

/** `NATS/1.0\r\nKey: value\r\n…`, as STREAM.MSG.GET gives them. */
export function parseHeaderBlock(block: string): Headers {
  const read: Record<string, string> = {}
  for (const line of block.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0) read[line.slice(0, colon)] = line.slice(colon + 1).trim()
  }
  return read
}

/** What a store's options say in the server's words (ADR-43, -50, -51); null when they say nothing. */
export function storeHeaders(options: StoreOptions, batch?: Headers): MsgHdrs | null {
  const written = newHeaders()
  let any = false
  const set = (key: string, value: string) => {
    written.set(key, value)
    any = true
  }
  for (const key in options.headers) set(key, options.headers[key] as string)
  if (options.expect !== undefined) {
    set('Nats-Expected-Last-Subject-Sequence', String(options.expect.seq))
    if (options.expect.on !== undefined) set('Nats-Expected-Last-Subject-Sequence-Subject', options.expect.on)
  }
  if (options.rollup) set('Nats-Rollup', 'sub')
  if (options.ttlS !== undefined) set('Nats-TTL', `${options.ttlS}s`)
  if (options.msgId !== undefined) set('Nats-Msg-Id', options.msgId)
  if (options.at !== undefined && options.target !== undefined) {
    set('Nats-Schedule', `@at ${new Date(options.at).toISOString()}`)
    set('Nats-Schedule-Target', options.target)
  }
  for (const key in batch) set(key, batch[key] as string)
  return any ? written : null
}
