import { describe, expect, it } from 'vitest'
import { attribute, byFunction, type CpuProfile, shares, STAGES } from './attribution.ts'

const ROOT = 'file:///somewhere/hato/'
const node = (id: number, functionName: string, url: string, children: number[] = []) => ({ id, callFrame: { functionName, url }, children })

/** root → idle | gc | compose.render → Node's Buffer.concat | wire.read → session.#hear → wire.write → Node's socket.write */
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 4, 6]),
    node(2, '(idle)', ''),
    node(3, '(garbage collector)', ''),
    node(4, 'render', `${ROOT}services/content/compose.ts`, [5]),
    node(5, 'concat', 'node:buffer'),
    node(6, 'onStreamRead', 'node:internal/stream_base_commons', [7]),
    node(7, 'read', `${ROOT}services/sender/smtp/wire.ts`, [8]),
    node(8, '#hear', `${ROOT}services/sender/smtp/session.ts`, [9]),
    node(9, 'write', `${ROOT}services/sender/smtp/wire.ts`, [10]),
    node(10, 'writeGeneric', 'node:internal/stream_base_commons'),
  ],
  startTime: 0,
  samples: [2, 4, 5, 3, 8, 10, 7, 6, 2],
  timeDeltas: [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000],
}
const all = { fromUs: 0, toUs: 1e9 }

describe('attribution', () => {
  it('counts a frame of Node for the file that called it, the innermost known one', () => {
    expect(Object.fromEntries(attribute(profile, STAGES, all))).toEqual({
      idle: 1,
      'render: headers, assembling': 2,
      'garbage collection': 1,
      'SMTP session': 1,
      'write to sockets': 1,
      'parse replies': 1,
      'Node itself': 1,
    })
  })

  it('counts nothing outside the window', () => {
    expect(Object.fromEntries(attribute(profile, STAGES, { fromUs: 1_500, toUs: 3_500 }))).toEqual({ 'render: headers, assembling': 2 })
  })

  it('names functions by their path in the project, each for itself', () => {
    expect(byFunction(profile, all).get('render services/content/compose.ts')).toBe(1)
    expect(byFunction(profile, all).get('concat node:buffer')).toBe(1)
  })

  it('shares leave idling out and add up to one', () => {
    const found = shares(attribute(profile, STAGES, all))
    expect(found[0]).toMatchObject({ stage: 'render: headers, assembling', share: 2 / 7 })
    expect(found.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
    expect(shares(new Map([['idle', 5]]))).toEqual([])
  })
})
