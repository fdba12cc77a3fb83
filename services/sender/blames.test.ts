import { expect, test } from 'vitest'
import type { Finding } from './policy/attempt.ts'
import { Blames } from './blames.ts'

const found = (text: string, more: Partial<Finding> = {}): Finding => ({
  outcome: 'bounced',
  stage: 'rcpt',
  reply: { code: 550, enhanced: '5.2.1', text },
  because: null,
  class: 'mailbox-disabled',
  blames: 'recipient',
  suppress: true,
  restMs: null,
  retryAfterMs: null,
  stops: false,
  rule: null,
  mx: 'mx.example',
  ms: 5,
  ...more,
})
const at = (n: number) => ({ site: 'example', rcpt: `r${n}@example`, now: n })

test('the tenth recipient refused alike is deferred as the site’s matter and feeds no suppression list; a delivery ends the run', () => {
  const blames = new Blames()
  const refuse = (n: number) => blames.weigh(found(`r${n}@example is disabled`), at(n))
  for (let n = 1; n < 10; n++) expect(refuse(n)).toMatchObject({ outcome: 'bounced', blames: 'recipient' })
  expect(refuse(10)).toMatchObject({ outcome: 'deferred', class: 'site-busy', blames: 'site', stops: true, whole: true, suppress: false })
  expect(refuse(11).outcome).toBe('deferred')
  blames.weigh(found('ok', { outcome: 'delivered', class: 'delivered', blames: 'nobody' }), at(12))
  expect(refuse(13).outcome).toBe('bounced')
})

test('what rests the source or our own domain stays what it is', () => {
  const blames = new Blames()
  for (let n = 0; n < 20; n++) {
    const source = found('your address is not loved', { outcome: 'deferred', class: 'reputation', blames: 'source', stops: true })
    expect(blames.weigh(source, at(n))).toBe(source)
    const sender = found('your domain is not loved', { outcome: 'deferred', class: 'reputation', blames: 'sender', rests: 'sender' })
    expect(blames.weigh(sender, { ...at(n), site: 'other' })).toBe(sender)
  }
})

test('greylisting says the same to everybody and is nobody’s matter', () => {
  const blames = new Blames()
  for (let n = 0; n < 30; n++) {
    const grey = found('Greylisted', { outcome: 'deferred', class: 'greylisted', blames: 'nobody' })
    expect(blames.weigh(grey, at(n))).toBe(grey)
  }
})

test('a blamed recipient domain rests until somebody there gets a mail', () => {
  const blames = new Blames()
  blames.weigh(found('Access denied', { outcome: 'deferred', class: 'ambiguous-user', blames: 'domain', rests: 'domain', restMs: 60_000 }), at(1))
  expect(blames.rests('r2@example', 1_001)).toMatchObject({ outcome: 'deferred', class: 'resting', blames: 'domain', stage: null, retryAfterMs: 59_000 })
  expect(blames.rests('r2@other.example', 1_001)).toBeNull()
  blames.weigh(found('ok', { outcome: 'delivered', class: 'delivered', blames: 'nobody' }), at(3))
  expect(blames.rests('r2@example', 1_004)).toBeNull()
})

test('a newsletter whose dot nobody answers counts as delivered, until more than five did: then the site rests and it is sent again', () => {
  const blames = new Blames()
  const lost = found('', { outcome: 'delivered', stage: 'dot', reply: null, because: 'no reply', class: 'lost-dot', blames: 'nobody', unconfirmed: true })
  for (let n = 1; n <= 5; n++) expect(blames.weigh(lost, at(n))).toBe(lost)
  const sixth = blames.weigh(lost, at(6))
  expect(sixth).toMatchObject({ outcome: 'deferred', class: 'lost-dot', blames: 'site', mayBeDuplicate: true, stops: true, whole: true })
  expect(sixth).not.toHaveProperty('unconfirmed')
})
