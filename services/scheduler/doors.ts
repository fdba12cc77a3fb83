import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import { HeldAsk } from '../../protocol/messages/held.ts'
import type { ErrorAnswer } from '../../protocol/messages/ops.ts'
import { readSubject, wildcard } from '../../protocol/subjects.ts'
import type { Bus, Call } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'
import type { Campaigns, Running } from './campaigns.ts'
import type { Control } from './control.ts'
import type { HygieneKeeper } from './hygiene-keeper.ts'
import type { Intake } from './intake.ts'
import { receivedStatus, statusOfRecord, unknownStatus } from './status.ts'
import type { Suppression } from './suppression.ts'
import { answerSuppression } from './suppression-desk.ts'

export interface Doors {
  readonly bus: Bus
  readonly campaigns: Campaigns
  readonly intake: Intake
  readonly control: Control
  readonly suppression: Suppression
  readonly hygiene: HygieneKeeper
  readonly status: (running: Running) => object
  /** all of the fleet */
  readonly tenants: () => readonly string[]
}

/** What publishers and ops ask of the scheduler: status, control, suppression. */
export function openDoors({ bus, campaigns, intake, control, suppression, hygiene, status, tenants }: Doors): Disposable {
  const stack = new DisposableStack()
  stack.use(
    bus.serve(wildcard('campaignStatus'), (call) =>
      answer(call, async () => {
        const { tenant = '', id = '' } = readSubject('campaignStatus', call.subject) ?? {}
        const running = campaigns.get(tenant, id)
        if (running) return status(running)
        const record = await campaigns.lookUp(tenant, id)
        if (record) return statusOfRecord(record)
        return intake.isReceived(tenant, id) ? receivedStatus(tenant, id) : unknownStatus(tenant, id)
      }),
    ),
  )
  stack.use(
    bus.serve(wildcard('campaignControl'), (call) =>
      answer(call, async () => {
        const { tenant = '', id = '' } = readSubject('campaignControl', call.subject) ?? {}
        const read = decodePublic(call.body)
        return read.kind === 'read' ? control.apply(tenant, id, read.body) : unreadable(read.because)
      }),
    ),
  )
  stack.use(
    bus.serve(wildcard('suppression'), (call) =>
      answer(call, async () => {
        const read = decodePublic(call.body)
        if (read.kind === 'unreadable') return unreadable(read.because)
        const tenant = readSubject('suppression', call.subject)?.tenant ?? ''
        const held = HeldAsk.safeParse(read.body)
        return held.success ? hygiene.answer(tenant, held.data) : answerSuppression({ bus, suppression, tenants: tenants() }, tenant, read.body)
      }),
    ),
  )
  return stack
}

function answer(call: Call, act: () => Promise<object>): void {
  void act().then(
    (body) => call.reply(encodeJson(body)),
    (error: unknown) => {
      if (!(error instanceof Infrastructure)) throw error
      call.reply(encodeJson({ error: { code: 'unavailable', message: `NATS does not answer (${error.message}); ask again` } } satisfies ErrorAnswer))
    },
  )
}

function unreadable(because: string): ErrorAnswer {
  return { error: { code: 'bad-request', message: `the request is neither JSON nor msgpack: ${because}` } }
}
