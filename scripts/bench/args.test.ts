import { expect, it } from 'vitest'
import { readArgs } from './args.ts'

it('flags are read, and what is none is refused with the names that are', () => {
  expect(readArgs([])).toEqual({ pace: 'full', mode: 'compare', only: [], trials: [], output: 'screen' })
  expect(readArgs(['--quick', '--only', 'hato', '--only', 'postfix', '--json'])).toEqual({
    ...{ pace: 'quick', mode: 'compare', only: ['hato', 'postfix'], trials: [], output: 'json' },
  })
  expect(readArgs(['--help'])).toBeNull()
  expect(() => readArgs(['--only', 'exim'])).toThrow('"exim", not one of hato, bare-socket')
  expect(() => readArgs(['--fast'])).toThrow(TypeError)
})
