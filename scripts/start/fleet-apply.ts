import { setTimeout as pause } from 'node:timers/promises'
import { KEYS } from '../../protocol/buckets.ts'
import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import type { Fleet, FleetRecord } from '../../protocol/fleet.ts'
import type { ErrorAnswer } from '../../protocol/messages/ops.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { BadConfig } from '../../services/runtime/errors.ts'
import { openBucket } from '../../services/runtime/kv.ts'

const ANSWER_WITHIN_MS = 5_000
const AGAIN_AFTER_MS = 100

/** Puts a fleet document into force; asks until ip-manager answers. Throws BadConfig with its problems. */
export async function applyFleet(bus: Bus, fleet: Fleet, signal: AbortSignal): Promise<{ readonly revision: number }> {
  for (;;) {
    signal.throwIfAborted()
    const answer = await bus.ask(subject('fleetApply', {}), encodeJson(fleet), { timeoutMs: ANSWER_WITHIN_MS })
    if (answer.kind === 'answer') return readAnswer(answer.body)
    if (answer.kind === 'nobody') await pause(AGAIN_AFTER_MS, undefined, { signal }) // who begins to listen tells nobody
  }
}

function readAnswer(bytes: Uint8Array): { readonly revision: number } {
  const read = decodePublic(bytes)
  if (read.kind === 'unreadable') throw new BadConfig(`fleet.apply was answered by something unreadable: ${read.because}`)
  const answer = read.body as { revision: number } | ErrorAnswer
  if (!('error' in answer)) return answer
  const problems = (answer.error.problems ?? []).map(({ path, message }) => `\n  ${path}: ${message}`)
  throw new BadConfig(`the fleet was refused: ${answer.error.message}${problems.join('')}`)
}

/** The document that a former run left in force. */
export async function fleetInForce(bus: Bus): Promise<Pick<FleetRecord, 'revision' | 'appliedAt'> | null> {
  const kept = await openBucket(bus, 'fleet').get(KEYS.fleet)
  return kept === null ? null : (JSON.parse(new TextDecoder().decode(kept.value)) as FleetRecord)
}
