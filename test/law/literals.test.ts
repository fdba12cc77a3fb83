import { describe, expect, test } from 'vitest'
import { SUBJECTS } from '../../protocol/subjects.ts'
import { findLiterals } from './literals.ts'
import { ourSources, show } from './sources.ts'

describe('subject and stream names', () => {
  test('stand written out nowhere but in protocol', () => {
    const findings = [...ourSources(['services', 'scripts'])].flatMap(({ file, text }) => findLiterals(file, text))
    expect(findings.map(show)).toEqual([])
  })

  test.each([
    "bus.publish('campaign.jobs.acme', body)",
    'bus.publish(`mail.${shard}.${lane}`, order)',
    'bus.publish(`mail.${shard}.bulk`, order)',
    "bus.subscribe('outcome.>', hear)",
    "bus.subscribe('campaign.*.acme.>', hear)",
    "bus.publish('campaign.jobs.' + tenant, body)",
    'const where = `later.rest.${shard}.${site}.${order}`',
    "bus.request('ip.reputation.203.0.113.5', '')",
    "bus.request('fleet.get', '')",
    "jsm.streams.info('MAIL')",
    "const options = { stream: 'OUTCOMES' }",
  ])('are found in %s', (source) => {
    expect(findLiterals('scripts/planted.ts', source)).toHaveLength(1)
  })

  test('are found in services by their beginning alone', () => {
    expect(findLiterals('services/sender/planted.ts', 'const batch = `outcome.${key}`')).toHaveLength(1)
  })

  test('are found whichever row of the table they come from', () => {
    for (const { on } of Object.values(SUBJECTS)) {
      const written = on.replace('{lane}', 'bulk').replace(/\{\w+>?\}/g, 'x1')
      expect(findLiterals('scripts/planted.ts', `publish('${written}')`), written).toHaveLength(1)
    }
  })

  test.each([
    "const host = 'mail.example.jp'",
    'const host = `mail.${domain}`',
    "case_('MAIL')",
    "if (verb === 'MAIL') reply()",
    "import { x } from './sender.here.grant'",
    "log('sender.grant refused: no room')",
    "type Stream = 'MAIL' | 'JOBS'",
    "const row = subject('order', { shard, lane: 'bulk' })",
  ])('are not seen in %s', (source) => {
    expect(findLiterals('scripts/planted.ts', source)).toEqual([])
  })
})
