import { expect, test } from 'vitest'
import { switchOff, type Twin } from './twin.ts'

const twin: Twin = { rule: 'delivery.md §3', file: 'a.ts', is: 'if (late)', becomes: "if ('$&')", breaks: 'nothing waits' }

test('one snippet is exchanged, and nothing in it is read as a pattern', () => {
  expect(switchOff('x\nif (late) wait()\n', twin)).toBe("x\nif ('$&') wait()\n")
})

test('a snippet that is not there, or there twice, or that changes nothing is refused', () => {
  expect(() => switchOff('x', twin)).toThrow('0 times')
  expect(() => switchOff('if (late) if (late)', twin)).toThrow('2 times')
  expect(() => switchOff('x', { ...twin, is: '' })).toThrow('not once')
  expect(() => switchOff('if (late)', { ...twin, becomes: twin.is })).toThrow('changes nothing')
})
