/**
 * admission: every tenant of the fleet in force can come in, and nobody else. Follows the fleet as long as the cluster runs.
 *
 * OWNS       `publisher:<tenant>` in credentials.json, the tenants' accounts in the server's configuration, their buckets and consumers
 * HEARS      the fleet bucket
 * INVARIANT  a tenant's door opens after what is behind it stands
 * NOT HERE   what a tenant may do (scripts/nats-config)
 */
import { setTimeout as pause } from 'node:timers/promises'
import { tenantObjectBucket } from '../../protocol/buckets.ts'
import { CONSUMERS, type StreamName } from '../../protocol/streams.ts'
import { listenerForm, SUBJECTS } from '../../protocol/subjects.ts'
import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { BadConfig, Infrastructure, RETRY_PACE_MS } from '../../services/runtime/errors.ts'
import { watchFleet } from '../../services/runtime/fleet-watch.ts'
import { type Login, publisherName } from '../nats-config/accounts.ts'
import { ACCOUNT_INFO } from '../nats-config/jetstream.ts'
import type { Keyring } from '../nats-config/keyring.ts'
import { rowsOf } from '../nats-config/permissions.ts'
import type { EmbeddedNats } from './embedded-nats.ts'
import { sayingLog } from './saying-log.ts'

export interface AdmissionPlan {
  /** the supervisor's */
  readonly bus: Bus
  readonly nats: EmbeddedNats
  readonly keyring: Keyring
  readonly say: (line: string) => void
  /** gives up */
  readonly signal: AbortSignal
}

/** A publisher's consumer hands out so many unacked at most, and repeats one after so long. */
const CONSUMER = { maxAckPending: 1_000, ackWaitMs: 30_000 } as const
const OPEN_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 150

/** Resolves when the tenants of the fleet in force, which there must be, can come in. */
export async function startAdmission({ bus, nats, keyring, say, signal }: AdmissionPlan): Promise<AsyncDisposable> {
  const ended = new AbortController()
  const ending = AbortSignal.any([ended.signal, signal])
  const furnished = new Set<string>()
  let underWay: Promise<void> = Promise.resolve()
  const first = Promise.withResolvers<void>()

  const watch = watchFleet(
    bus,
    sayingLog(() => {}),
    ({ fleet }) => {
      const tenants = fleet.tenant.map(({ name }) => name)
      underWay = underWay.then(() => insist(() => settle(tenants))).then(first.resolve, first.reject)
    },
  )

  async function settle(tenants: readonly string[]): Promise<void> {
    const known = keyring.tenants()
    for (const tenant of tenants) if (!furnished.has(tenant)) await furnish(bus, tenant)
    for (const tenant of tenants) furnished.add(tenant)
    const fresh = tenants.filter((tenant) => !known.includes(tenant))
    const gone = known.filter((tenant) => !tenants.includes(tenant))
    if (fresh.length === 0 && gone.length === 0) return
    keyring.admit(tenants)
    await nats.reload()
    for (const tenant of fresh) await opened(tenant)
    await keyring.save() // now: whoever finds a password there gets in with it
    say(
      [
        ...fresh.map((tenant) => `tenant ${tenant} can publish now, as publisher:${tenant} of ${keyring.file}`),
        ...gone.map((tenant) => `tenant ${tenant} is shut out`),
      ].join('\n'),
    )
  }

  /** NOTE: an account that a reload brings knows its imports only after the next one (2.15.1, tried), so each look is one. */
  async function opened(tenant: string): Promise<void> {
    const deadlineMs = performance.now() + OPEN_WITHIN_MS
    while (!(await isOpen(nats.url, keyring.of(publisherName(tenant))))) {
      if (performance.now() > deadlineMs)
        return say(`nats-server has not let ${tenant}'s publisher in after ${OPEN_WITHIN_MS / 1_000} s; it will at its next start`)
      await pause(LOOK_AGAIN_MS, undefined, { signal: ending })
      await nats.reload()
    }
  }

  /** Until NATS takes it, or we end. */
  async function insist(work: () => Promise<void>): Promise<void> {
    while (!ending.aborted) {
      try {
        return await work()
      } catch (error) {
        if (ending.aborted) return
        if (!(error instanceof Infrastructure)) throw error
        await pause(RETRY_PACE_MS[error.code])
      }
    }
  }

  await first.promise
  return {
    async [Symbol.asyncDispose]() {
      ended.abort()
      watch[Symbol.dispose]()
      await underWay
    },
  }
}

/** A bucket for its lists, and for each stream that publishers hear a consumer of its own messages: they may make neither. */
export async function furnish(bus: Bus, tenant: string): Promise<void> {
  await bus.ensureObjectBucket(tenantObjectBucket(tenant))
  for (const { on, stream } of rowsOf('publisher', SUBJECTS).heard) {
    const spec = { stream: stream as StreamName, durable: CONSUMERS.publisher(tenant), filter: listenerForm(on, { tenant }), ...CONSUMER }
    await using _made = await bus.pull(spec, () => {})
  }
}

async function isOpen(url: string, credentials: Login): Promise<boolean> {
  try {
    await using bus = await connectBus({ url, name: `supervisor as ${credentials.user}`, credentials, log: sayingLog(() => {}) })
    return (await bus.ask(ACCOUNT_INFO, new Uint8Array(), { timeoutMs: 1_000 })).kind === 'answer'
  } catch (error) {
    if (error instanceof BadConfig) return false // not known yet
    throw error
  }
}
