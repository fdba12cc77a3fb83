import { setTimeout as pause } from 'node:timers/promises'
import { LIMITS } from '../../../protocol/campaign.ts'
import { encodeJson } from '../../../protocol/codec.ts'
import type { CampaignEvent } from '../../../protocol/messages/campaign.ts'
import { STREAM } from '../../../protocol/streams.ts'
import { subject, wildcard } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { tenantOf } from '../arguments.ts'
import type { Asked, Command, Here } from '../command.ts'
import { EXIT, Failure, problemLine } from '../failure.ts'
import { followCampaign } from '../follow.ts'
import { bytes, counted } from '../format.ts'
import { named, readInput } from '../read-input.ts'
import { printable } from '../text.ts'
import { tenantFor } from '../tenant.ts'
import { uploadList } from '../upload.ts'

/** A scheduler that is there answers within milliseconds; one that takes over needs some seconds. */
const SAY_WAITING_MS = 3_000
const ANSWER_WITHIN_MS = 60_000

export const sendCommand: Command = {
  name: 'send',
  positionals: [{ name: 'FILE|-' }],
  options: ['tenant', 'list', 'follow', 'json'],
  says: 'publishes a campaign and says whether it was accepted',
  more: [
    'FILE is the campaign in JSON, "-" is standard input. Without --tenant it is the tenant whose domain the From address is in.',
    'A list with --list is put into the object store first (NDJSON, a recipient a line, or CSV with a header row: address, name, ref, the rest are variables) and the campaign reads it from there.',
    'Exit code 0: accepted; with --follow: finished. 1: rejected, with every problem, and nothing was queued.',
    'Sending the same file twice sends it once: the id makes it so.',
  ].join('\n'),
  examples: ['hato send spring.json --follow', 'hato send spring.json --list customers.csv', 'jq ".id = \\"again\\"" spring.json | hato send - --tenant acme'],
  async run(asked, here) {
    const file = asked.positionals[0] as string
    const campaign = parse(await readInput(file), file)
    const bus = await here.bus()
    const tenant = asked.values.has('tenant') ? tenantOf(asked.values.get('tenant') as string) : await tenantFor(bus, campaign)
    const list = asked.values.get('list')
    const complete = list === undefined ? campaign : { ...campaign, recipientsObject: await storedList(bus, list, tenant, campaign, asked, here) }
    const event = await publish(bus, tenant, complete, file, asked, here)
    if (asked.flags.has('json')) here.screen.out(JSON.stringify(event))
    if (event.type === 'rejected')
      throw new Failure(
        'failed',
        `${tenant}: rejected campaign ${event.id}; nothing was queued, mend it and publish again${event.id === 'unreadable' ? '' : ' under the same id'}`,
        { code: 'rejected', problems: event.problems },
      )
    if (!asked.flags.has('json')) sayAccepted(event, here)
    return asked.flags.has('follow') ? followCampaign(bus, { tenant, id: event.id }, here, asked.flags.has('json') ? 'json' : 'text') : EXIT.ok
  },
}

type Draft = Readonly<Record<string, unknown>>

function parse(text: string, file: string): Draft {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch (error) {
    throw new Failure('failed', `${named(file)} is not JSON: ${(error as Error).message}; nothing was published`, { code: 'not-json' })
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Failure('failed', `${named(file)} holds no campaign, which is an object: {"id": …, "kind": …, …}; nothing was published`)
  return read as Draft
}

async function storedList(bus: Bus, list: string, tenant: string, campaign: Draft, asked: Asked, here: Here): Promise<string> {
  for (const key of ['recipients', 'recipientsObject']) {
    if (key in campaign) throw new Failure('usage', `the campaign has "${key}" already, and --list gives it ${list}; take one of them out`)
  }
  const stored = await uploadList(bus, list, tenant, here.screen, here.stopping)
  if (!asked.flags.has('json'))
    here.screen.note(`${stored.kind === 'uploaded' ? 'stored' : 'already there:'} ${list} as object ${stored.name}, ${bytes(stored.bytes)}`)
  return stored.name
}

/** Durable, and then the scheduler's word on exactly this publish. */
async function publish(bus: Bus, tenant: string, campaign: Draft, file: string, asked: Asked, here: Here): Promise<CampaignEvent> {
  const body = encodeJson(campaign)
  if (body.length > LIMITS.messageBytes)
    throw new Failure(
      'failed',
      `${named(file)} is ${bytes(body.length)}, and one NATS message carries ${bytes(LIMITS.messageBytes)}; put the recipients into a file of their own and give it by --list`,
    )
  const { lastSeq } = await bus.streamState(STREAM.events)
  const events = bus.follow(STREAM.events, [wildcard('campaignEvent', { tenant })], { fromSeq: lastSeq + 1 })
  try {
    const stored = await bus.store(subject('campaignJob', { tenant }), body)
    if (stored.kind === 'refused')
      throw new Failure('failed', `NATS refused the campaign: ${stored.message} (${stored.code}); nothing was published`, { code: 'refused' })
    if (!asked.flags.has('json')) here.screen.note(`published as message ${stored.seq} of stream ${STREAM.jobs} (PubAck: it is durable)`)
    return await answerTo(stored.seq, events, `${tenant}/${campaign.id ?? '…'}`, here)
  } finally {
    events.close()
  }
}

async function answerTo(seq: number, events: AsyncIterable<{ readonly body: Uint8Array }>, name: string, here: Here): Promise<CampaignEvent> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, here.stopping])
  const late = async () => {
    await pause(SAY_WAITING_MS, undefined, { signal })
    here.screen.note('waiting for a scheduler to take it …')
    await pause(ANSWER_WITHIN_MS - SAY_WAITING_MS, undefined, { signal })
    throw new Failure(
      'unavailable',
      `no scheduler took message ${seq} within ${ANSWER_WITHIN_MS / 1_000} s. It is durable and will be taken when one is there; hato status ${name} tells, hato doctor looks at what runs`,
      {
        code: 'nobody',
      },
    )
  }
  const heard = async () => {
    for await (const { body } of events) {
      const event = JSON.parse(new TextDecoder().decode(body)) as CampaignEvent
      if (event.ofPublish === seq) return event
    }
    throw new Failure('unavailable', `the connection ended before the scheduler's answer; message ${seq} is durable, hato status ${name} tells`)
  }
  try {
    return await Promise.race([heard(), late()])
  } finally {
    over.abort()
  }
}

function sayAccepted(event: CampaignEvent, { screen }: Here): void {
  const { recipients = 0, state } = event
  const waits = state === 'scheduled' ? '; it starts at its sendAt' : ''
  screen.out(
    `${screen.paint('green', 'accepted')} ${screen.paint('bold', `${event.tenant}/${event.id}`)}${recipients > 0 ? `, ${counted(recipients, 'recipient')} read so far` : ''}${waits}`,
  )
  for (const problem of event.problems) screen.out(`  ${printable(problemLine(problem))}`)
}
