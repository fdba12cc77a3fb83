import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normaliseReply } from './normalise.ts'
import { type Ended, type TenAlike, tenAlike } from './ten-alike.ts'

const refused = (n: number, over: Partial<Ended> = {}): Ended => ({
  site: 'example',
  rcpt: `u${n}@example.jp`,
  normalised: '550 no',
  outcome: 'bounced',
  class: 'content',
  ...over,
})

function run(all: readonly Ended[]): readonly boolean[] {
  let state: TenAlike = new Map()
  return all.map((one) => {
    const step = tenAlike(state, one)
    state = step.state
    return step.siteMatter
  })
}

describe('ten-alike-rest-the-site', () => {
  test('the tenth different recipient in a row makes it the matter of the site, and so does the eleventh', () => {
    expect(run(Array.from({ length: 11 }, (_, n) => refused(n)))).toEqual([...Array(9).fill(false), true, true])
  })

  test('one recipient ten times is one recipient', () => {
    expect(run(Array.from({ length: 12 }, () => refused(1)))).not.toContain(true)
  })

  test.each([
    ['a success', refused(99, { outcome: 'delivered', class: 'delivered', normalised: null })],
    ['another reply', refused(99, { normalised: '550 other' })],
    ['a plain unknown user', refused(99, { class: 'unknown-user', normalised: '550 unknown' })],
  ])('%s in between starts anew', (_, between) => {
    const nine = Array.from({ length: 9 }, (_, n) => refused(n))
    expect(run([...nine, between, ...nine])).not.toContain(true)
  })

  test('other sites do not disturb the run, and plain unknown users never are one', () => {
    expect(run(Array.from({ length: 20 }, (_, n) => refused(n, { site: n % 2 ? 'a' : 'b', outcome: 'deferred' }))).filter(Boolean)).toHaveLength(2)
    expect(run(Array.from({ length: 30 }, (_, n) => refused(n, { class: 'unknown-user' })))).not.toContain(true)
  })

  test('what it remembers stays small', () => {
    let state: TenAlike = new Map()
    for (let n = 0; n < 2_000; n++) state = tenAlike(state, refused(n, { site: `s${n}` })).state
    expect(state.size).toBe(500)
  })
})

describe('the normalised form', () => {
  test.each([
    ['<taro@example.jp>: Recipient rejected', '<<addr>>: Recipient rejected'],
    ['Client host [203.0.113.7] blocked, see https://x.example/?ip=203.0.113.7', 'Client host [<ip>] blocked, see <url>'],
    ['host [2001:db8::1] busy', 'host [<ip>] busy'],
    ['queued as 4BqQ2x1Zz0 at mx1.example.com 12 times', 'queued as <id> at <host> <n> times'],
  ])('%s', (text, form) => {
    expect(normaliseReply(text)).toBe(form)
  })

  test('is the same for all addresses, sources and ids', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.ipV4(), fc.nat(), (address, ip, n) => {
        const plain = /^[^\s<>()"',;:]{1,64}@/.test(address)
        if (plain) expect(normaliseReply(`<${address}> from [${ip}] refused ${n}`)).toBe('<<addr>> from [<ip>] refused <n>')
      }),
    )
  })

  test('of hostile text comes quickly', () => {
    for (const text of ['a'.repeat(2_000), 'a.'.repeat(1_000), ':'.repeat(2_000), '1.'.repeat(1_000), 'a@'.repeat(1_000)]) {
      const from = performance.now()
      normaliseReply(text)
      expect(performance.now() - from).toBeLessThan(50)
    }
  })
})
