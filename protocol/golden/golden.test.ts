import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode, decodePublic, encode, encodeJson } from '../codec.ts'
import { OutcomeChunk } from '../outcome.ts'
import { PUBLIC, RECORDS } from './samples.fixture.ts'

/**
 * Golden samples: bytes that an earlier version wrote, kept on disk. A change that makes them unreadable would strand what rests in streams and
 * buckets over an upgrade. A *new* sample is added by deleting nothing and running with HATO_GOLDEN=write; an old one is never rewritten.
 */
const FILE = new URL('./wire.json', import.meta.url)
const wire: Record<string, string> = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string>) : {}
const now: Record<string, Uint8Array> = {
  ...Object.fromEntries(Object.entries(RECORDS).map(([name, value]) => [`record/${name}`, encode(value)])),
  ...Object.fromEntries(Object.entries(PUBLIC).map(([name, value]) => [`public/${name}`, encodeJson(value)])),
}
if (process.env.HATO_GOLDEN === 'write') {
  for (const [name, bytes] of Object.entries(now)) wire[name] ??= Buffer.from(bytes).toString('base64')
  writeFileSync(FILE, `${JSON.stringify(wire, null, 2)}\n`)
}

const golden = (name: string) => Buffer.from(wire[name] ?? '', 'base64')

describe('what rests and travels', () => {
  it.each(Object.entries(RECORDS))('a %s of an earlier version reads as it was meant', (name, value) => {
    expect(plain(decode(golden(`record/${name}`)))).toEqual(plain(value))
  })
  it.each(Object.entries(PUBLIC))('a public %s of an earlier version reads as it was meant', (name, value) => {
    expect(decodePublic(golden(`public/${name}`))).toEqual({ kind: 'read', body: value })
  })
  it('has a golden sample each, and no more', () => {
    expect(Object.keys(wire).sort()).toEqual(Object.keys(now).sort())
  })
  it('keeps an order under 300 octets, whatever it carries', () => {
    expect(encode({ ...RECORDS.order, charged: undefined, refusals: undefined, notBefore: undefined }).length).toBeLessThan(420)
    const { id: _i, rate: _r, pauseAt: _p, charged: _c, refusals: _f, notBefore: _n, stick: _s, maybe: _m, because: _b, ...first } = RECORDS.order
    expect(encode(first).length).toBeLessThan(300)
  })
  it('passes the schema it is published under', () => {
    expect(OutcomeChunk.parse(PUBLIC.outcome)).toEqual(PUBLIC.outcome)
  })
})

/** Buffers and Uint8Arrays of the same octets are the same here. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (inner instanceof Uint8Array ? [...inner] : isBufferJson(inner) ? inner.data : inner)))
}
function isBufferJson(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer'
}
