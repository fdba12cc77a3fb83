import { createHash } from 'node:crypto'

/**
 * What makes two publishes of one id the same job: its content, whatever its encoding or the order of its keys. SHA-256, base64url.
 * A job may have a hundred thousand recipients, and its first mail waits for this: what lies in order already is written by the engine as a whole.
 */
export function jobDigest(body: unknown): string {
  const ordered = inOrder(body)
  return createHash('sha256')
    .update(ordered === UNUSUAL ? canonical(body) : JSON.stringify(ordered))
    .digest('base64url')
}

/** The definition. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key])}`).join(',')}}`
}

/** Something that JSON.stringify would write otherwise than `canonical`. */
const UNUSUAL = Symbol('unusual')

/** The same value with all keys in order, so that JSON.stringify gives the canonical text; parts that lie so already are not copied. */
function inOrder(value: unknown): unknown {
  if (value === null) return value
  if (typeof value !== 'object') return value === undefined || typeof value === 'function' || typeof value === 'symbol' ? UNUSUAL : value
  if (Array.isArray(value)) return listInOrder(value)
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return UNUSUAL
  return objectInOrder(value as Record<string, unknown>)
}

function listInOrder(list: readonly unknown[]): unknown {
  let copy: unknown[] | null = null
  for (let at = 0; at < list.length; at++) {
    const ordered = inOrder(list[at])
    if (ordered === UNUSUAL) return UNUSUAL
    if (ordered !== list[at]) copy ??= [...list]
    if (copy !== null) copy[at] = ordered
  }
  return copy ?? list
}

function objectInOrder(object: Record<string, unknown>): unknown {
  const keys = Object.keys(object)
  let isInOrder = true
  let changed: Map<string, unknown> | null = null
  let before = ''
  for (const key of keys) {
    // The engine lists keys that are numbers by their value and first, wherever they were put.
    if (isNumber(key)) return UNUSUAL
    if (key < before) isInOrder = false
    before = key
    const value = object[key]
    const ordered = inOrder(value)
    if (ordered === UNUSUAL) return UNUSUAL
    if (ordered === value) continue
    changed ??= new Map()
    changed.set(key, ordered)
  }
  if (isInOrder && changed === null) return object
  const entries = keys.sort().map((key) => [key, changed?.has(key) ? changed.get(key) : object[key]])
  return Object.fromEntries(entries)
}

function isNumber(key: string): boolean {
  const first = key.charCodeAt(0)
  return first >= 0x30 && first <= 0x39
}
