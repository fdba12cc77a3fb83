import { rfc3339 } from '../../protocol/duration.ts'
import { IpControl, type ErrorAnswer, type IpControlled } from '../../protocol/messages/ops.ts'
import { readSubject, subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Call } from '../runtime/bus/types.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Events } from './events.ts'
import { control } from './policy/control.ts'
import { canonicalIp } from './policy/names.ts'
import { ipOf } from './policy/pairs.ts'
import { reputation, reputationOf } from './policy/reputation.ts'
import type { Say } from './policy/says.ts'
import { isRefusal, readBody, refusal, servePublic } from './requests.ts'
import type { Manager } from './state.ts'

export interface IpDoorOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly manager: Manager
  readonly events: Events
  /** resolves once the journal has been counted to its end: no answer goes back behind one given before */
  readonly ready: Promise<void>
  /** time passes, and what it brings is said */
  pass(): void
  say(says: readonly Say[]): void
  /** what changed is durable; false = another process owns */
  save(): Promise<boolean>
}

/** `ip.reputation`, `ip.reputation.<address>`, `ip.control.<address>`. */
export function openIpDoor(options: IpDoorOptions): Disposable {
  const { bus, manager, ready, pass } = options
  const stack = new DisposableStack()
  stack.use(
    servePublic(bus, subject('ipReputation', {}), async () => {
      await ready
      pass()
      return reputation(manager)
    }),
  )
  stack.use(
    servePublic(bus, wildcard('ipReputationOf'), async (call) => {
      await ready
      pass()
      const address = addressIn('ipReputationOf', call)
      return reputationOf(manager, address) ?? unknownIp(manager, address)
    }),
  )
  stack.use(servePublic(bus, wildcard('ipControl'), (call) => order(call, options)))
  return stack
}

async function order(call: Call, { clock, manager, events, ready, say, save }: IpDoorOptions): Promise<IpControlled | ErrorAnswer> {
  await ready
  const address = addressIn('ipControl', call)
  const read = readBody(call, IpControl)
  if (isRefusal(read)) return read
  const ip = ipOf(manager, address)
  if (ip === null) return unknownIp(manager, address)
  // Said before it is durable: stopping too early harms nobody, S5 counts from the order.
  say(control(manager, ip, { action: read.action, because: read.because, forMs: read.for ?? null }, clock.now()))
  if (!(await save())) return refusal('not-owner', `another process owns the IPs now; ask again`)
  const { mode, until } = ip.state
  const answer: IpControlled = { ok: true, mode, until: until === null ? null : rfc3339(until) }
  events.ordered({ ip: address, action: read.action, because: read.because, mode, until: answer.until })
  return answer
}

/** An address in any spelling finds the IP it means. */
function addressIn(row: 'ipReputationOf' | 'ipControl', call: Call): string {
  const text = readSubject(row, call.subject)?.address ?? ''
  return canonicalIp(text) ?? text
}

function unknownIp(manager: Manager, address: string): ErrorAnswer {
  const known = [...manager.fleet.ips.keys()]
  const there =
    known.length === 0
      ? 'there is none: hato apply FLEET'
      : `there ${known.length === 1 ? 'is' : 'are'} ${known.slice(0, 50).join(', ')}${known.length > 50 ? ` and ${known.length - 50} more` : ''}`
  return refusal('unknown-ip', `"${address}" is not an IP of the fleet; ${there}`)
}
