import { randomBytes } from 'node:crypto'
import { KEYS } from '../../protocol/buckets.ts'
import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import { type Problem, LIMITS } from '../../protocol/campaign.ts'
import type { FleetRecord } from '../../protocol/fleet.ts'
import type { ErrorAnswer, FleetApplied } from '../../protocol/messages/ops.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus, Call } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Bucket, openBucket } from '../runtime/kv.ts'
import { nearest } from '../runtime/nearest.ts'
import type { Events } from './events.ts'
import { checkFleet } from './policy/fleet-check.ts'
import { maskedRecord, nextRecord } from './policy/fleet-record.ts'
import { refusal, servePublic } from './requests.ts'

export interface FleetDoorOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly events: Events
  /** a new document is durable */
  applied(record: FleetRecord): void
}

/** `fleet.apply` and `fleet.get`. The document in force is the bucket's; everybody reads it there by a watch. */
export function openFleetDoor(options: FleetDoorOptions): Disposable {
  const { bus } = options
  const bucket = openBucket(bus, 'fleet')
  const stack = new DisposableStack()
  stack.use(servePublic(bus, subject('fleetApply', {}), (call) => apply(call, bucket, options)))
  stack.use(
    servePublic(bus, subject('fleetGet', {}), async () => {
      const standing = await readFleet(bucket)
      return standing === null ? refusal('no-fleet', 'there is no fleet document yet: hato apply FLEET') : (maskedRecord(standing.record) as object)
    }),
  )
  return stack
}

/** The document in force as the leader keeps it. */
export async function readFleet(bucket: Bucket): Promise<{ readonly record: FleetRecord; readonly revision: number } | null> {
  const kept = await bucket.get(KEYS.fleet)
  return kept === null ? null : { record: JSON.parse(new TextDecoder().decode(kept.value)) as FleetRecord, revision: kept.revision }
}

async function apply(call: Call, bucket: Bucket, { clock, events, applied }: FleetDoorOptions): Promise<FleetApplied | ErrorAnswer> {
  const body = decodePublic(call.body)
  if (body.kind === 'unreadable') return refusal('unreadable', `the fleet document is neither JSON nor msgpack (${body.because}); nothing was changed`)
  const verdict = checkFleet(body.body, nearest)
  if (verdict.kind === 'bad') {
    const { problems } = verdict
    events.fleetRefused({ problems: problems.length, first: `${problems[0]?.path}: ${problems[0]?.message}` })
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    return refusal('bad-fleet', `the fleet document has ${count}; nothing was changed, mend it and apply it again`, cut(problems))
  }
  for (;;) {
    const standing = await readFleet(bucket)
    const record = nextRecord(standing?.record ?? null, verdict.fleet, clock.now(), newSecret)
    if (record !== standing?.record) {
      const written =
        standing === null ? await bucket.create(KEYS.fleet, encodeJson(record)) : await bucket.update(KEYS.fleet, encodeJson(record), standing.revision)
      if (written === null) continue // another apply was faster: this one comes after it
      events.fleetApplied({ revision: record.revision, ips: record.fleet.ip.length, tenants: record.fleet.tenant.length, warnings: verdict.warnings.length })
      applied(record)
    }
    return { ok: true, revision: record.revision, warnings: verdict.warnings }
  }
}

/** 256 bits: return paths are signed with it (delivery.md §9). */
function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

function cut(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= LIMITS.problems) return problems
  return [...problems.slice(0, LIMITS.problems), { path: '', message: `and ${problems.length - LIMITS.problems} more` }]
}
