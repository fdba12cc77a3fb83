import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSubject, SUBJECTS, type SubjectName, subject, wildcard } from './subjects.ts'

const names = Object.keys(SUBJECTS) as SubjectName[]
const keysOf = (name: SubjectName) => [...SUBJECTS[name].on.matchAll(/\{(\w+)>?\}/g)].map(([, key]) => key as string)
const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019_-~/'), minLength: 1, maxLength: 20 })

/** Does a NATS wildcard cover a subject? */
function covers(pattern: string, text: string): boolean {
  const want = pattern.split('.')
  const parts = text.split('.')
  for (const [at, piece] of want.entries()) {
    if (piece === '>') return parts.length > at
    if (parts[at] === undefined || (piece !== '*' && piece !== parts[at])) return false
  }
  return want.length === parts.length
}

describe('the table of subjects', () => {
  it.each(names)("%s: the speaker's form is read back and covered by the listener's", (name) => {
    fc.assert(
      fc.property(fc.array(token, { minLength: 6, maxLength: 6 }), (tokens) => {
        const params = Object.fromEntries(keysOf(name).map((key, at) => [key, tokens[at] as string])) as never
        const text = subject(name, params)
        expect(readSubject(name, text)).toEqual(params)
        expect(covers(wildcard(name), text)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('lets an address with dots end a request, and stand nowhere else', () => {
    expect(subject('ipReputationOf', { address: '203.0.113.5' })).toBe('ip.reputation.203.0.113.5')
    expect(readSubject('ipReputationOf', 'ip.reputation.2001:db8::1')).toEqual({ address: '2001:db8::1' })
    expect(() => subject('ipEvent', { address: '203.0.113.5' })).toThrow(/cannot stand for/)
    expect(() => subject('order', { shard: '*', lane: 'bulk' })).toThrow(/cannot stand for/)
  })

  it('has a subject for a stream where it says so, and nobody who speaks to no one unless a stream keeps it', () => {
    for (const name of names) {
      const row = SUBJECTS[name]
      expect(row.says.length, name).toBeGreaterThan(0)
      if (row.how === 'jetstream') expect('stream' in row, name).toBe(true)
      else expect(row.hears.length, name).toBeGreaterThan(0)
    }
  })

  it('has no two rows that one message could belong to', () => {
    for (const one of names) {
      for (const other of names) {
        if (one === other) continue
        const params = Object.fromEntries(keysOf(one).map((key) => [key, 'q1q'])) as never
        expect(covers(wildcard(other), subject(one, params)), `${one} is also ${other}`).toBe(false)
      }
    }
  })
})
