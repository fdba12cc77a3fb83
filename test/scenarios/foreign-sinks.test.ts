import { describe, expect, it } from 'vitest'
import type { IpReputation } from '../../protocol/messages/ops.ts'
import { until } from '../kit/bus.ts'
import { startCluster } from '../kit/cluster.ts'
import { loopbackFleet, noticeTo } from '../kit/fleets.ts'
import { startSinks } from '../kit/sinks.ts'
import { account, breachOf, tallyOutcomes } from '../kit/tally.ts'

const RECIPIENTS = 20_000

describe('a bare NATS client publishes through npm start', () => {
  it('1, then 20,000 recipients: foreign sinks, campaign.status, ip.reputation and the journal count the same; SIGTERM to npm leaves nothing', {
    timeout: 240_000,
  }, async () => {
    await using sinks = await startSinks(4)
    const cluster = await startCluster({ fleet: loopbackFleet(sinks), senders: 2, through: 'npm' })
    await using _ = cluster
    await cluster.publish('acme', noticeTo('one', [`a@${sinks.domains[0]}`]))
    await cluster.until('acme', 'one', ({ state }) => state === 'finished', 20_000)

    const published = Array.from({ length: RECIPIENTS }, (_, at) => `r${at}@${sinks.domains[at % sinks.domains.length]}`)
    await cluster.publish('acme', noticeTo('many', published))
    const status = await cluster.until(
      'acme',
      'many',
      (told) => {
        if (told.state !== 'unknown') expect(breachOf(told)).toBeNull()
        return told.state === 'finished'
      },
      180_000,
    )
    expect(status).toMatchObject({ recipients: RECIPIENTS, delivered: RECIPIENTS, waiting: 0, bounced: 0, mayBeDuplicate: 0 })

    await until('the sinks have counted', () => sinks.counted() === RECIPIENTS + 1, 10_000)
    const tally = await tallyOutcomes(cluster.bus, 'acme', 'many')
    const farEnd = await sinks.stored()
    const { lost, doubled, unaccounted } = account(published, tally, farEnd)
    expect({ lost, doubled, unaccounted }).toEqual({ lost: [], doubled: [], unaccounted: [] })
    expect(tally.finals.delivered).toBe(RECIPIENTS)

    await until(
      'ip.reputation counts what the sinks count',
      async () => {
        const { ips } = await cluster.ask<IpReputation>('ipReputation', {})
        return ips.flatMap(({ isps }) => Object.values(isps)).reduce((sum, { delivered }) => sum + delivered, 0) === RECIPIENTS + 1
      },
      5_000,
    )
    // The twin: one mail taken away from what the sinks stored must be noticed.
    const robbed = new Map(farEnd)
    robbed.delete(published[77] as string)
    expect(account(published, tally, robbed).lost).toEqual([published[77]])

    expect(await cluster.stop()).toBe(0)
    expect(await cluster.processes()).toEqual([])
  })
})
