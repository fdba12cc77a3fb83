import { decode } from '../../protocol/codec.ts'
import { campaignName } from '../../protocol/ids.ts'
import type { Drain } from '../../protocol/messages/permission.ts'
import { DEFAULT_RETRY } from '../../protocol/retry.ts'
import { RetryConfig, retryPolicy } from '../../protocol/retry-config.ts'
import { STREAM } from '../../protocol/streams.ts'
import { wildcard } from '../../protocol/subjects.ts'
import type { FleetWatch } from '../runtime/fleet-watch.ts'
import { openBucket } from '../runtime/kv.ts'
import { isNodeAlive } from '../runtime/liveness.ts'
import { keepAllotments } from './allotment-keeper.ts'
import { bury, isUnburied } from './burial.ts'
import { hearFeedback } from './came-back.ts'
import { goRounds } from './campaign-rounds.ts'
import { Campaigns, ENDED, type Running } from './campaigns.ts'
import type { SchedulerContext } from './config.ts'
import { Control } from './control.ts'
import { openDoors } from './doors.ts'
import { startDue } from './due.ts'
import { CampaignEvents } from './events.ts'
import { Endings } from './endings.ts'
import { Expansions } from './expansions.ts'
import type { FeedbackOptions } from './feedback.ts'
import { HygieneKeeper } from './hygiene-keeper.ts'
import { KeyKeeper, NO_KEY } from './key-keeper.ts'
import { Intake } from './intake.ts'
import { Ledger } from './ledger.ts'
import { Releaser } from './releaser.ts'
import { restoreQueues, restoreUnderWay } from './restore.ts'
import { EVERYWHERE } from './policy/site-holds.ts'
import { Preflight } from './preflight.ts'
import type { Sites } from './sites.ts'
import { statusOf, Statuses } from './status.ts'
import { Suppression } from './suppression.ts'
import { again, troubles } from './trouble.ts'

/** a scheduler that died while it cleared an ended campaign away is followed by another within minutes */
const UNBURIED_MS = 3_600_000

/** What outlives a term. */
export interface SharedByTerms {
  readonly fleet: FleetWatch
  readonly sites: Sites
  readonly onFeedback: FeedbackOptions['onHeard']
}

/**
 * One term of ownership: from what is durable to a working scheduler, and back. Nothing is answered before the journal has been counted to its end,
 * so that a status never goes back.
 */
export async function startTerm(context: SchedulerContext, shared: SharedByTerms): Promise<AsyncDisposable> {
  const { bus, log, clock, config } = context
  const { fleet, sites } = shared
  const stack = new AsyncDisposableStack()
  const trouble = troubles(log)
  let stopping = false

  const bucket = openBucket(bus, 'campaigns')
  const events = new CampaignEvents({ bus, clock, log })
  const suppression = new Suppression({ bus, clock, log })
  await suppression.load()
  stack.defer(() => suppression.settled())
  const campaigns = new Campaigns({
    bucket,
    log,
    onFenced: (key) => {
      throw new Error(`${key} was written by another owner`)
    },
  })
  const preflight = stack.use(
    new Preflight({
      bus,
      clock,
      log,
      campaigns,
      refuse: (running, problems) => endings.refuse(running, problems),
      resolver: () => sites.resolver(),
      fleet: () => fleet.current(),
    }),
  )
  const policy = () => {
    const retry = fleet.current()?.fleet.retry
    return retry ? retryPolicy(RetryConfig.parse(retry)) : DEFAULT_RETRY
  }

  let onShares: (() => void) | null = null
  const document = () => fleet.current()?.fleet ?? null
  const keeping = { bus, bucket, clock, log, fleet: document, onShares: () => onShares?.(), saveEveryMs: config.saveEveryMs }
  const { book } = stack.use(await keepAllotments(keeping))
  const releaser = stack.use(
    new Releaser({
      bus,
      log,
      campaigns,
      tenantWeight: (tenant) => fleet.current()?.fleet.tenant.find(({ name }) => name === tenant)?.weight ?? 1,
      book,
      now: clock.now,
      onReleased: (running) => {
        if (running.record.startedAt === null)
          void campaigns
            .change(running, { startedAt: clock.now(), ...(running.record.state === 'scheduled' && { state: 'running' as const }) })
            .catch(trouble('start', running))
      },
      onTrouble: (error, running) => {
        log.warn('release interrupted', { campaign: campaignName(running.record), error })
        void again(() => restoreQueues(bus, running)).then(() => releaser.look())
      },
    }),
  )
  onShares = () => releaser.look()
  const statuses = new Statuses(releaser, clock.mono)

  const endings: Endings = stack.use(
    new Endings({
      bus,
      bucket,
      log,
      campaigns,
      events,
      now: clock.now,
      stopping: () => stopping,
      isReading: (running) => expansions.has(running),
      cancelReleased: (running) => control.pickUp(running),
      onEnded: () => releaser.forget(),
      trouble,
    }),
  )
  const settle = (running: Running) => endings.settle(running)
  const cancelRest = (running: Running) => endings.cancelRest(running)

  const expansions: Expansions = new Expansions({
    bus,
    log,
    campaigns,
    sites,
    suppression,
    preflight,
    book,
    events,
    status: (running) => statusOf(running, releaser), // an event is of its own moment
    again,
    refuse: (running, problems) => endings.refuse(running, problems),
    now: clock.now,
    dice: Math.random,
    atOnce: config.expansionsAtOnce,
    stepBatches: config.stepBatches,
    onBatches: () => releaser.look(),
    releases: releaser.atOnce,
    onEnded: (running) => {
      if (running.record.state === 'cancelling') cancelRest(running) // of the last step nobody knew when the campaign was cancelled
      settle(running) // perhaps everybody was settled before the list's end was known
    },
  })

  // -- what is durable comes first
  const { running: loaded, ended } = await campaigns.load(clock.now() - UNBURIED_MS)
  for (const record of ended) if (await isUnburied(record, bus)) await bury(record, { bus, bucket, events })
  for (const running of loaded) await restoreQueues(bus, running)
  if (loaded.length > 0) await restoreUnderWay(bus, campaigns)
  const control = new Control({
    bus,
    bucket,
    log,
    campaigns,
    events,
    releaser,
    now: clock.now,
    onLifted: ({ record }, lifted) => hygiene.forgive(record.tenant, record.id, lifted),
    whyHeld: (running) => keyKeeper.whyHeld(running),
    onCancelling: cancelRest,
    onChanged: settle,
  })
  const holdAll = (running: Running, says: string) => control.stopAt(running, EVERYWHERE, NO_KEY, says)
  const keyKeeper: KeyKeeper = stack.use(
    await KeyKeeper.open({
      bucket,
      resolver: () => sites.resolver(),
      fleet: () => fleet.current(),
      campaigns,
      hold: holdAll,
      letGo: (running) => control.goOnAt(running, EVERYWHERE),
      again,
      clock,
      log,
      times: { everyMs: config.keysEveryMs, againMs: config.keysAgainMs },
    }),
  )
  const { lastSeq } = await bus.streamState(STREAM.outcomes)
  const hygiene: HygieneKeeper = stack.use(
    await HygieneKeeper.open({
      bus,
      bucket,
      log,
      clock,
      suppression,
      saveEveryMs: config.saveEveryMs,
      endSeq: lastSeq,
      again,
      fleet: document,
      unknownMax: sites.unknownMax,
      onTrip: ({ tenant, campaign, site, because, says }) => {
        const running = campaigns.get(tenant, campaign)
        if (running) void again(() => control.stopAt(running, site, because, says))
      },
    }),
  )
  const ledger = stack.use(
    new Ledger({
      bus,
      log,
      campaigns,
      endSeq: lastSeq,
      hygiene,
      onCounted: (running) => {
        settle(running)
        releaser.counted(running)
      },
    }),
  )
  await ledger.caughtUp

  const onHeard = shared.onFeedback
  stack.use(
    await hearFeedback({ bus, bucket, log, campaigns, suppression, again, fleet, sites, hygiene, onHeard, saveEveryMs: config.saveEveryMs, now: clock.now }),
  )
  function expand(running: Running): void {
    // It may have been cancelled, even to its end, while its acceptance was told.
    if (ENDED.has(running.record.state) || expansions.has(running) || stopping) return
    expansions.add(running)
    expansions.begin()
  }
  const intake = new Intake({
    bus,
    clock,
    log,
    fleet: () => fleet.current()?.fleet as NonNullable<ReturnType<FleetWatch['current']>>['fleet'],
    campaigns,
    events,
    preflight,
    journalPosition: () => ledger.position,
    onAccepted: (running) => {
      keyKeeper.use(running.record)
      const why = keyKeeper.whyHeld(running)
      if (why === null) expand(running)
      else void again(() => holdAll(running, why)).then(() => expand(running)) // held before anything of it is released
    },
  })

  stack.use(bus.hear(wildcard('drain'), ({ body }) => releaser.drained(decode<Drain>(body))))
  stack.use(
    openDoors({
      bus,
      campaigns,
      intake,
      control,
      suppression,
      hygiene,
      status: (running) => statuses.of(running),
      tenants: () => fleet.current()?.fleet.tenant.map(({ name }) => name) ?? [],
    }),
  )
  const owners = openBucket(bus, 'owners')
  stack.use(await startDue({ bus, clock, log, isAlive: (sender) => isNodeAlive(owners, 'sender', sender), campaigns, sites, suppression, policy }))
  const cancelWaiting = (running: Running) => control.pickUp(running)
  stack.use(goRounds({ campaigns, clock, saveEveryMs: config.saveEveryMs, cancelWaiting, trouble }))

  for (const running of campaigns.all()) {
    await control.pickUp(running)
    if (!running.expansion.done && running.record.state !== 'cancelling') expansions.add(running)
    else settle(running)
  }
  await control.dropStrayHolds()
  expansions.begin()
  releaser.look()
  await intake.start()
  stack.use(intake)
  void preflight.lookAtFleet()
  keyKeeper.begin()
  log.info('term began', { campaigns: campaigns.size, position: ledger.position })

  return {
    async [Symbol.asyncDispose]() {
      stopping = true
      expansions[Symbol.dispose]()
      await stack.disposeAsync()
      for (const running of campaigns.all()) await campaigns.save(running).catch(trouble('save', running))
      log.info('term ended', { campaigns: campaigns.size })
    },
  }
}
