import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { mailbox } from './mailbox.ts'

test('messages are handled one after another, in order, also those that come meanwhile', async () => {
  const seen: string[] = []
  using box = mailbox<string>(systemClock, async (message) => {
    seen.push(`${message} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    if (message === 'a') box.post('c')
    seen.push(`${message} ends`)
    return null
  })
  box.post('a')
  box.post('b')
  await box.idle()
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('it wakes when it asked to, and the last answer is the one that counts', async () => {
  const seen: string[] = []
  const woken = Promise.withResolvers<void>()
  const began = performance.now()
  using box = mailbox<'soon' | 'later'>(systemClock, (message) => {
    seen.push(message)
    if (message === 'wake') {
      woken.resolve()
      return null
    }
    return systemClock.now() + (message === 'soon' ? 30 : 60_000)
  })
  box.post('later')
  box.post('soon')
  await woken.promise
  expect(seen).toEqual(['later', 'soon', 'wake'])
  expect(performance.now() - began).toBeGreaterThanOrEqual(28)
})

test('a closed mailbox neither hears nor wakes', async () => {
  const seen: string[] = []
  const box = mailbox<string>(systemClock, (message) => {
    seen.push(message)
    return systemClock.now() + 10
  })
  box.post('a')
  box[Symbol.dispose]()
  box.post('b')
  await new Promise((resolve) => setTimeout(resolve, 30)) // past the moment it had asked for
  expect(seen).toEqual(['a'])
})
