import { describe, expect, it } from 'vitest'
import { AheadMemory } from './ahead.ts'

const DAY_MS = 86_400_000

describe('an envelope behind a body', () => {
  it('is never announced where the row says so, always where it is sure, and learnt in the tail when it is worth it', () => {
    const memory = new AheadMemory(() => 0)
    const busy = { queued: 20 }
    expect(memory.mayAnnounce('never', '192.0.2.1', 5, busy)).toBe(false)
    expect(memory.mayAnnounce('always', '192.0.2.1', 0, { queued: 1 })).toBe(true)
    expect(memory.mayAnnounce('learn', '192.0.2.1', 5, busy)).toBe(true)
    expect(memory.mayAnnounce('learn', '192.0.2.1', 4, busy)).toBe(false)
    expect(memory.mayAnnounce('learn', '192.0.2.1', 5, { queued: 19 })).toBe(false)
  })

  it('is not announced for seven days to an address that did not bear it', () => {
    let now = 0
    const memory = new AheadMemory(() => now)
    memory.refused('192.0.2.1')
    now = 7 * DAY_MS - 1
    expect(memory.mayAnnounce('always', '192.0.2.1', 9, { queued: 99 })).toBe(false)
    expect(memory.mayAnnounce('always', '192.0.2.2', 9, { queued: 99 })).toBe(true)
    now++
    expect(memory.mayAnnounce('always', '192.0.2.1', 9, { queued: 99 })).toBe(true)
  })

  it('remembers no more than 50,000 hosts, the youngest', () => {
    const memory = new AheadMemory(() => 0)
    for (let host = 0; host <= 50_000; host++) memory.refused(`h${host}`)
    expect(memory.mayAnnounce('always', 'h0', 0, { queued: 0 })).toBe(true)
    expect(memory.mayAnnounce('always', 'h1', 0, { queued: 0 })).toBe(false)
  })
})
