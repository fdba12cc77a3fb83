import { expect, test } from 'vitest'
import { createLog } from './log.ts'

function logged(addresses: boolean, write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLog({ level: 'info', fields: { role: 'sender', node: 's1' }, addresses, to: { write: (line) => void lines.push(line) } }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('an event is one JSON line with its level, its time, and whose it is', () => {
  const [line, ...more] = logged(false, (log) => {
    log.debug('hidden')
    log.child({ campaign: 'acme/spring' }).info('settled', { attempt: 3, because: 'site-busy' })
  })
  expect(more).toEqual([])
  expect(line).toMatchObject({ level: 'info', role: 'sender', node: 's1', event: 'settled', campaign: 'acme/spring', attempt: 3, because: 'site-busy' })
  expect(line?.at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('addresses are cut wherever they stand, also in a reply that quotes one; whole when asked for', () => {
  const write = (log: ReturnType<typeof createLog>) =>
    log.info('settled', { rcpt: 'taro@example.jp', reply: '550 <taro.y+x@example.jp>: no such user', nested: { to: ['a@b.example'] } })
  expect(logged(false, write)[0]).toMatchObject({ rcpt: 't…@example.jp', reply: '550 <t…@example.jp>: no such user', nested: { to: ['a…@b.example'] } })
  expect(logged(true, write)[0]).toMatchObject({ rcpt: 'taro@example.jp' })
})

test('an error becomes its stack', () => {
  const [line] = logged(false, (log) => log.error('crashed', { error: new Error('of taro@example.jp') }))
  expect(line?.error).toMatch(/Error: of t…@example\.jp\n\s+at /)
})
