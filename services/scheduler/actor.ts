/**
 * scheduler: decides what and when.
 *
 * OWNS       campaigns: their records (bucket campaigns), cursors, tallies; the suppression list; who may still send how much (`allotments`)
 * HEARS      DNS (MX, preflight, DKIM keys) · bucket reputation tenant-shares · campaign.jobs.> · due.> · outcome.> · feedback.> · router.*.drain · campaign.status/control · suppression.*
 * SAYS       batches, cursors, orders (MAIL) · campaign.events.> · bucket campaigns held.> dkim-keys · outcomes of its own (cancelled, expired, suppressed)
 * INVARIANT  recipients = settled + waiting whenever anyone asks (S1); a batch and the cursor that counts it are one atomic batch
 * ON CRASH   another process takes `scheduler.all`, reads records and cursors, counts the journal from the saved position, then answers again
 * NOT HERE   how fast (domain-router), from where (ip-manager), when to try again (protocol/retry, at the sender)
 */
import { controlNames } from '../../protocol/suppression-config.ts'
import { openBucket } from '../runtime/kv.ts'
import { createResolver, type Resolver } from '../runtime/dns/resolver.ts'
import { watchFleet } from '../runtime/fleet-watch.ts'
import { own } from '../runtime/ownership.ts'
import type { SchedulerContext } from './config.ts'
import { Sites } from './sites.ts'
import { startTerm } from './term.ts'
import { successiveTerms } from './terms.ts'
import { keepTlsReports } from './tls-report-keeper.ts'

export async function startScheduler(context: SchedulerContext): Promise<AsyncDisposable> {
  const { bus, log, clock, config, nodeId, health } = context
  await using stack = new AsyncDisposableStack()
  let resolver: Resolver | null = null
  const sites = new Sites(() => resolver as Resolver)
  let dns = ''
  const fleet = stack.use(
    watchFleet(bus, log, ({ fleet: document }) => {
      const { isp, network } = document
      sites.override(isp)
      // Another resolver only when the servers changed: its memory is worth keeping.
      const control = controlNames(document)
      if (resolver !== null && dns === `${network.dns} ${control}`) return
      dns = `${network.dns} ${control}`
      const before = resolver
      resolver = createResolver({ servers: network.dns, now: clock.mono, control })
      void before?.[Symbol.asyncDispose]()
    }),
  )
  stack.defer(async () => resolver?.[Symbol.asyncDispose]())
  health.gate(() => (fleet.current() ? [] : ['no fleet document yet: hato apply FLEET']))
  await fleet.ready

  const feedback = context.metrics.counter('feedback', 'what came back after the 250, by kind and what became of it', ['kind', 'heard'])
  const crash = (error: unknown) => {
    log.error('crashed', { error })
    process.exit(1) // a new process starts from what is durable
  }
  const terms = successiveTerms(async () => {
    const office = new AsyncDisposableStack()
    office.use(await startTerm(context, { fleet, sites, onFeedback: (kind, heard) => feedback.inc({ kind, heard }) }))
    office.use(keepTlsReports({ bus, clock, log, fleet: () => fleet.current()?.fleet ?? null, crash }))
    return office
  })
  const ownership = stack.use(
    await own({
      bucket: openBucket(bus, 'owners'),
      role: 'scheduler',
      nodeId,
      shards: ['all'],
      clock,
      log,
      ttlMs: config.livenessTtlMs,
      onGained: () => void terms.begin().catch(crash),
      onLost: terms.end,
    }),
  )
  // Started = who asks for a campaign is answered, by us or by the one in office.
  await ownership.untilOwned('all')
  await terms.begun()
  return stack.move()
}
