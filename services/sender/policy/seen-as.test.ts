import { expect, test } from 'vitest'
import { askedOnce, seenAs } from './seen-as.ts'

const OURS = '203.0.113.7'
const PEER = '198.51.100.25'

test.each<[string, string | null]>([
  ['mx.google.com at your service, [203.0.113.7]', null],
  ['mx.google.com at your service, [203.0.113.99]', '203.0.113.99'],
  ['mail.example.jp Hello mx7.hato.example [192.0.2.1], pleased to meet you', '192.0.2.1'],
  ['AM1PEPF000.mail.protection.outlook.com Hello [203.0.113.7]', null],
  ['mail.example.jp', null],
  ['mail.example.jp [198.51.100.25]', null],
  ['mail.example.jp [198.51.100.25] Hello [203.0.113.7]', null],
  ['Hello [IPv6:2001:DB8::7]', '2001:db8::7'],
  ['version [1.2.3] (build 4.5)', null],
])('%s', (line, seen) => {
  expect(seenAs(line, OURS, PEER)).toBe(seen)
})

test('an IPv6 address is ours in any spelling', () => {
  expect(seenAs('Hello [IPv6:2001:db8:0:0:0:0:0:7]', '2001:db8::7', PEER)).toBeNull()
})

test('asked once, it answers each question as if it were asked alone', () => {
  const questions: Parameters<typeof seenAs>[] = [
    ['Hello [203.0.113.99]', OURS, PEER],
    ['Hello [203.0.113.99]', '203.0.113.99', PEER],
    ['Hello [203.0.113.99]', OURS, '203.0.113.99'],
    ['Hello [192.0.2.1]', OURS, PEER],
  ]
  let asked = 0
  const ask = askedOnce((...question) => {
    asked++
    return seenAs(...question)
  })
  for (const question of questions) expect([ask(...question), ask(...question)]).toEqual([seenAs(...question), seenAs(...question)])
  expect(asked).toBe(questions.length)
})
