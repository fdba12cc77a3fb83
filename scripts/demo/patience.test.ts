import { describe, expect, test } from 'vitest'
import { readReply } from '../../protocol/reply.ts'
import { createJudge } from '../../services/sender/policy/replies/judge.ts'
import { greyReply } from '../world/models/greylist.ts'
import { PROVIDERS } from '../world/models/isps.ts'
import { tail } from '../world/models/tail.ts'
import { demoFleet } from './fleet.ts'
import { DEMO_RULES } from './patience.ts'

/** Longer than this and a demo of a minute does not end. */
const REST_MOST_MS = 3_000

describe('what a simulated ISP says when a limit is overstepped', () => {
  const judge = createJudge(DEMO_RULES)
  const said = [...PROVIDERS, ...tail()].flatMap(({ name, behaviours }) =>
    behaviours.flatMap((behaviour) =>
      behaviour.says === undefined
        ? []
        : [[name, behaviour.name, `${behaviour.says.code} ${behaviour.says.enhanced ?? ''} ${behaviour.says.lines.join(' ')}`.replace('  ', ' ')] as const],
    ),
  )

  test.each(said)('%s %s rests nobody for longer than a demo can wait', (isp, _, text) => {
    const reply = readReply(text)
    const verdict = judge({ reply, fault: null, stage: 'rcpt', provider: isp.startsWith('box-') ? null : isp, unknown: 'plain' })
    expect(verdict.outcome).toBe('deferred')
    expect(verdict.needsPerson).toBe(false)
    // Only these two rest anybody; without a time of its own a reply rests for a minute and more.
    if (verdict.blames === 'source' || verdict.blames === 'site') expect(verdict.restMs ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(REST_MOST_MS)
  })
})

test('a greylist is asked again when it lets us in, not the minute later that a real one is given', () => {
  const verdict = createJudge(DEMO_RULES)({ reply: readReply(greyReply(2_000).wire.trim()), fault: null, stage: 'rcpt', provider: null, unknown: 'plain' })
  expect(verdict).toMatchObject({ class: 'greylisted', blames: 'nobody', retryAfterMs: 2_000 })
})

test('the fleet is one that a cluster takes', async () => {
  const { fleet } = await demoFleet({ dns: '127.0.0.1:53', smtpPort: 2525 })
  expect(fleet.ip.map(({ address }) => address)).toContain('127.0.1.1')
  expect(fleet.network.only_private_mx).toBe(true)
})
