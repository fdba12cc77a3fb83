import { expect, it } from 'vitest'
import { readArgs } from './args.ts'

it('flags are read, and what is none is refused with the names that are', () => {
  expect(readArgs([])).toEqual({ pace: 'full', mode: 'compare', only: [], trials: [], recipients: 200_000, output: 'screen' })
  expect(readArgs(['--quick', '--only', 'hato', '--only', 'postfix', '--json'])).toEqual({
    ...{ pace: 'quick', mode: 'compare', only: ['hato', 'postfix'], trials: [], recipients: 200_000, output: 'json' },
  })
  expect(readArgs(['--trial', 'million', '--recipients', '1000000'])).toMatchObject({ mode: 'trials', trials: ['million'], recipients: 1_000_000 })
  expect(() => readArgs(['--trial', 'million', '--recipients', '1e9'])).toThrow('from 10000 to 10000000')
  expect(readArgs(['--help'])).toBeNull()
  expect(() => readArgs(['--only', 'exim'])).toThrow('"exim", not one of hato, bare-socket')
  expect(() => readArgs(['--fast'])).toThrow(TypeError)
})
