/**
 * sender: holds the conversation.
 *
 * OWNS       nothing durable; SMTP sessions and the orders in its hands, under leases
 * HEARS      sender.<id>.grant, sender.<id>.holdings (routers) · ip-manager.changed · bucket campaigns held.> dkim-keys · bucket owners
 * SAYS       senders.here · router.<shard>.report, router.<node>.reports · claims and outcomes (OUTCOMES) · retry orders (MAIL)
 * INVARIANT  no transaction without a live lease, a claim of its own, and room in the journal (S2, S3, S4, S5)
 * ON CRASH   its node key expires; its orders come back after ack_wait and are taken over by their claims
 * NOT HERE   which IP, how fast, how many sessions: the lease says; when to try again: protocol/retry
 */
import { KEYS } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { type FleetRecord, type FleetTls, tlsOf } from '../../protocol/fleet.ts'
import type { Grant, GrantAnswer, GrantAnswers, Grants, HoldingsAsk, SenderHere, SourceChanged } from '../../protocol/messages/permission.ts'
import { type DkimKeysRow, goneOf } from '../../protocol/messages/dkim-keys.ts'
import { DEFAULT_RETRY, type RetryPolicy } from '../../protocol/retry.ts'
import { RetryConfig, retryPolicy } from '../../protocol/retry-config.ts'
import { mergeProviders } from '../../protocol/providers/merge.ts'
import { BUILT_IN_PROVIDERS, providerTable } from '../../protocol/providers/table.ts'
import { WORKING_EVERY_MS } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { controlNames } from '../../protocol/suppression-config.ts'
import { LANES, type Lane } from '../../protocol/words.ts'
import { signInPool, signOnLoop } from '../content/signer.ts'
import type { Config } from '../runtime/config.ts'
import type { MailHost } from '../runtime/dns/mail-hosts.ts'
import { mailSites } from '../runtime/dns/mail-sites.ts'
import { createResolver } from '../runtime/dns/resolver.ts'
import { watchFleet } from '../runtime/fleet-watch.ts'
import { openBucket } from '../runtime/kv.ts'
import type { ActorContext } from '../runtime/lifecycle.ts'
import { isNodeAlive, keepAlive } from '../runtime/liveness.ts'
import { watchOwners } from '../runtime/owners.ts'
import { every } from '../runtime/wheel.ts'
import type { SENDER_CONFIG } from './config.ts'
import { AddressUse } from './address-use.ts'
import { AheadMemory } from './ahead.ts'
import { Blames } from './blames.ts'
import { Contents } from './contents.ts'
import { HeldCampaigns } from './held-campaigns.ts'
import { usableIps } from './host-addresses.ts'
import { Journal } from './journal.ts'
import { LeaseHolder } from './lease-holder.ts'
import { Leases } from './leases.ts'
import { Orders } from './orders.ts'
import { createJudge } from './policy/replies/judge.ts'
import { SessionLengths } from './policy/session-lengths.ts'
import { type Judge, Weighing } from './policy/judging.ts'
import { ReportPost } from './report-post.ts'
import { askQuietly, Reports } from './reports.ts'
import { Rounds } from './rounds.ts'
import { Routes } from './routes.ts'
import { PlaintextHosts } from './tls/plaintext-hosts.ts'
import { Roots } from './tls/roots.ts'
import { fetchPolicy } from './tls/sts-fetch.ts'
import { StsPolicies } from './tls/sts-policies.ts'
import { TlsReporter } from './tls/tls-reporter.ts'
import { TlsRules } from './tls/tls-rules.ts'
import { Door } from './session-door.ts'
import { SessionWorker } from './session-worker.ts'
import { TIMEOUTS } from './smtp/timeouts.ts'

const HERE_EVERY_MS = 500
const EXPIRE_EVERY_MS = 100
/** an allowance (4 s) and a lease under it (4 s), with a margin */
const HELD_BACK_MS = 10_000

export async function startSender(context: ActorContext<Config<typeof SENDER_CONFIG>>): Promise<AsyncDisposable> {
  const { bus, log, clock, config, nodeId: sender, health } = context
  const stack = new AsyncDisposableStack()
  const dice = Math.random

  let policy: RetryPolicy = DEFAULT_RETRY
  let judge = createJudge([])
  let providers = providerTable(BUILT_IN_PROVIDERS)
  let tls: FleetTls = tlsOf({})
  const roots = new Roots()
  let ips: readonly string[] = []
  /** what hangs on the fleet beside the rules; the first document may come before it exists */
  let onFleet: (record: FleetRecord) => void = () => {}
  const fleet = stack.use(
    watchFleet(bus, log, (record) => {
      policy = record.fleet.retry ? retryPolicy(RetryConfig.parse(record.fleet.retry)) : DEFAULT_RETRY
      judge = createJudge(record.fleet.rule)
      providers = providerTable(mergeProviders(BUILT_IN_PROVIDERS, record.fleet.isp))
      tls = tlsOf(record.fleet)
      roots.use(tls.ca)
      onFleet(record)
    }),
  )
  const contents = new Contents({ bus, fleet: fleet.current, sign: config.signOn === 'loop' ? signOnLoop() : signInPool })
  health.gate(() => (fleet.current() ? [] : ['no fleet document yet: hato apply FLEET']))
  const record = await fleet.ready
  const resolver = stack.use(createResolver({ servers: record.fleet.network.dns, now: clock.mono, control: controlNames(record.fleet) }))
  const network = () => {
    const { smtp_port, allow_private_mx, only_private_mx } = fleet.current()?.fleet.network ?? record.fleet.network
    return { smtpPort: smtp_port, allowPrivateMx: allow_private_mx, onlyPrivateMx: only_private_mx }
  }

  const routerOwners = stack.adopt(
    watchOwners(openBucket(bus, 'owners'), 'domain-router', () => {}, { attentive: true, rowsOnly: true }),
    (owners) => owners.close(),
  )
  await routerOwners.ready
  const ownersBucket = openBucket(bus, 'owners')
  const liveness = await keepAlive({
    bucket: ownersBucket,
    role: 'sender',
    nodeId: sender,
    ttlMs: config.livenessTtlMs,
    clock,
    log,
    onDead: () => log.warn('node key lost'),
    onAlive: () => {},
  })
  stack.defer(() => liveness.end())

  const held = new HeldCampaigns()
  const journal = new Journal({ bus, mono: clock.mono, wall: clock.now, onTrouble: (error) => log.warn('journal waits', { error }) })
  const orders = new Orders({
    bus,
    sender,
    journal,
    isAlive: (id) => isNodeAlive(ownersBucket, 'sender', id),
    isHeld: ({ order }) => held.has(order),
    policy: () => policy,
    clock,
    dice,
    log,
  })
  const ahead = new AheadMemory(clock.mono)
  const lengths = new SessionLengths()
  const policies = stack.use(
    new StsPolicies({
      resolver,
      bucket: openBucket(bus, 'policies'),
      fetch: (domain, id) => fetchPolicy(domain, id, { resolver, network, roots: () => roots.context, port: () => tls.sts_port }),
      wall: clock.now,
      log,
    }),
  )
  const tlsRules = new TlsRules({ resolver, policies, fleet: () => tls })
  const reporter = stack.use(new TlsReporter({ resolver, bucket: openBucket(bus, 'policies'), sender, wall: clock.now, log }))
  const sitesOf = (domain: string, hosts: readonly MailHost[]) => mailSites(domain, hosts, { resolver, providers })
  const routes = new Routes({ resolver, mono: clock.mono, dice, firstRestMs: () => policy.rows.host.stepsMs[0] ?? 60_000, tls: tlsRules, reporter, sitesOf })
  const weighing = new Weighing()
  const use = new AddressUse()
  const blames = new Blames()
  const weighed: Judge = (heard) => weighing.weigh(judge(heard), heard.source, clock.now())
  const plaintext = stack.use(new PlaintextHosts({ bucket: openBucket(bus, 'policies'), wall: clock.now, log }))
  await plaintext.ready
  const door = new Door({ routes, judge: weighed, timeouts: TIMEOUTS, roots, plaintext, reporter, mono: clock.mono })

  /** sources that stopped lending, until when that is believed: by then every allowance and lease from before is over, and grants say what is true */
  const heldBack = new Map<string, number>()
  const isHeldBack = (key: string) => (heldBack.get(key) ?? 0) > clock.mono()
  let stopping = false
  const leases: Leases = new Leases({
    sender,
    sessionsMax: config.sessionsMax,
    owners: routerOwners,
    mono: clock.mono,
    stopping: () => stopping,
    canUse: ({ lease }) => ips.includes(lease.ip),
    heldBack: (ip, site) => isHeldBack(ip) || isHeldBack(`${ip} ${site}`),
    newHolder: ({ lease }, until, stirred) => {
      const reportNow = () => reports.now(lease.shard)
      return new LeaseHolder({
        lease,
        until,
        orders,
        use,
        mono: clock.mono,
        wall: clock.now,
        log,
        hungry: () => reports.soon(lease.shard),
        stirred,
        hire: (holder) =>
          new SessionWorker(holder, {
            routes,
            network,
            contents,
            ahead,
            lengths,
            journal,
            judge: weighed,
            blames,
            restSender: (site, rest) => leases.restSender(site, rest),
            door,
            telling: () => ({ now: clock.now(), dice, policy }),
            mono: clock.mono,
            wall: clock.now,
            reportNow,
            log,
          }),
      })
    },
  })
  const reports = stack.use(
    new Reports({ post: new ReportPost({ ask: askQuietly(bus), ownerOf: (shard) => routerOwners.ownerOf(shard)?.owner ?? null }), leases }),
  )

  const rounds = stack.use(
    new Rounds(
      [
        { everyMs: config.reportEveryMs, turn: () => reports.every() },
        { everyMs: EXPIRE_EVERY_MS, turn: () => leases.expire() },
        ...LANES.map((lane) => ({ everyMs: WORKING_EVERY_MS[lane], turn: () => keepWorking(lane) })),
      ],
      () => !leases.isEmpty,
    ),
  )

  // Campaigns may be held, and keys gone, already: what hears of them stands before they are read, and they are known before the first grant.
  const heldWatch = openBucket(bus, 'campaigns').watch([KEYS.allHeld, KEYS.dkimKeys], ({ key, value }) => {
    if (key === KEYS.dkimKeys) {
      contents.without(value === null ? new Set() : goneOf(decode<DkimKeysRow>(value).missing))
      return
    }
    const campaign = held.told(key, value)
    if (campaign !== null) leases.letGoOf(campaign)
  })
  stack.defer(() => heldWatch.close())
  await heldWatch.caughtUp

  stack.use(
    bus.serve(subject('grant', { sender }), (call) => {
      const said = decode<Grant | Grants>(call.body)
      const answers = ('grants' in said ? said.grants : [said]).map(takeGrant)
      call.reply(encode('grants' in said ? ({ answers } satisfies GrantAnswers) : answers[0]))
      if (answers.some(({ kind }) => kind === 'accepted')) rounds.begin()
    }),
  )
  stack.use(bus.serve(subject('holdings', { sender }), (call) => call.reply(encode(leases.holdings(decode<HoldingsAsk>(call.body))))))
  stack.use(
    bus.hear(subject('sourceChanged', {}), ({ body }) => {
      const change = decode<SourceChanged>(body)
      const key = change.site === null ? change.ip : `${change.ip} ${change.site}`
      for (const old of heldBack.keys()) if (!isHeldBack(old)) heldBack.delete(old)
      if (change.lends) heldBack.delete(key)
      else heldBack.set(key, clock.mono() + HELD_BACK_MS)
      leases.sourceChanged(change)
    }),
  )

  function takeGrant(grant: Grant): GrantAnswer {
    const answer = leases.grant(grant)
    const { id, site, ip } = grant.lease
    if (answer.kind === 'refused') log.info('grant refused', { lease: id, site, ip, because: answer.because })
    return answer
  }
  let loop = performance.eventLoopUtilization()
  function here(): void {
    const message: SenderHere = { sender, tick: clock.mono(), sessionsFree: leases.offered(), ips, stopping, manyGrants: true }
    bus.say(subject('senderHere', {}), encode(message))
  }
  stack.use(
    every(HERE_EVERY_MS, () => {
      const was = loop
      loop = performance.eventLoopUtilization()
      leases.turn(performance.eventLoopUtilization(loop, was).utilization)
      here()
    }),
  )
  function keepWorking(lane: Lane): void {
    for (const { order, ackSubject } of leases.held()) if (order.lane === lane) bus.working(ackSubject)
  }
  onFleet = ({ fleet: { ip } }) => {
    contents.forget()
    void usableIps(ip).then((usable) => {
      ips = usable
      here()
    })
  }
  ips = await usableIps((fleet.current() ?? record).fleet.ip)
  here()

  const sessions = context.metrics.gauge('sender_sessions', 'SMTP sessions', ['phase'])
  const waiting = context.metrics.gauge('journal_oldest_waiting_ms', 'age of the oldest outcome that is not durable yet')
  context.metrics.onScrape(() => {
    for (const phase of ['open', 'lingering'] as const) sessions.set({ phase }, leases.sessions(phase))
    waiting.set(journal.oldestWaitingMs())
  })

  return {
    async [Symbol.asyncDispose]() {
      stopping = true
      await liveness.leave()
      here()
      await leases.close()
      await journal.close()
      reports.last()
      await bus.flush()
      await stack.disposeAsync()
    },
  }
}
