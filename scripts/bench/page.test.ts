import { expect, it } from 'vitest'
import { withComparison, withProfile, withTrials } from './page.ts'

it('a comparison keeps the profile below it, and the other way round', () => {
  const first = withProfile('', 'npm run bench -- --profile', '2026-11-24', ['', 'render 40 %'])
  const both = withComparison(first, '# Benchmarks\n\nA')
  expect(both).toBe("# Benchmarks\n\nA\n\n## Where a sender's CPU goes\n\n`npm run bench -- --profile` on 2026-11-24.\n\n```text\nrender 40 %\n```\n")
  const later = withProfile(withComparison(both, '# Benchmarks\n\nB'), 'npm run bench -- --profile', '2026-11-25', ['render 30 %'])
  expect(later).toContain('\nB\n')
  expect(later).toContain('render 30 %')
  expect(later).not.toContain('render 40 %')
})

it('trials stand between the two, and leave both', () => {
  const page = withTrials(withProfile('# Benchmarks\n\nA', 'npm run bench -- --profile', '2026-11-24', ['render 40 %']), 'idle: nothing')
  expect(page.indexOf('A')).toBeLessThan(page.indexOf('idle: nothing'))
  expect(page.indexOf('idle: nothing')).toBeLessThan(page.indexOf('render 40 %'))
  const later = withComparison(withTrials(page, 'idle: little'), '# Benchmarks\n\nB')
  for (const part of ['B', 'idle: little', 'render 40 %']) expect(later).toContain(part)
  for (const part of ['\nA\n', 'idle: nothing']) expect(later).not.toContain(part)
})
