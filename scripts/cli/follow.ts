/** A campaign watched until it has ended: its counts by asking for the status, its end by the event. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Problem } from '../../protocol/campaign.ts'
import { campaignName, type CampaignKey } from '../../protocol/ids.ts'
import type { CampaignEvent, CampaignStatus } from '../../protocol/messages/campaign.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { ask } from './ask.ts'
import { campaignLines, progressText, rateText, settledOf } from './campaign-screen.ts'
import type { Here } from './command.ts'
import { EXIT, type ExitCode, Failure } from './failure.ts'
import { counted } from './format.ts'

/** No event tells the counts in between: a person sees them move, a log gets a line when they did. */
const LOOK_EVERY_MS = { screen: 500, log: 2_000 } as const
/** The event is written just after the state. */
const LOOK_AGAIN_MS = 100
const ENDED: ReadonlySet<string> = new Set(['finished', 'cancelled', 'rejected'])

export function statusOf(bus: Bus, { tenant, id }: CampaignKey): Promise<CampaignStatus> {
  return ask<CampaignStatus>(bus, { subject: subject('campaignStatus', { tenant, id }), who: 'scheduler' })
}

/** 0 when it has finished; Failure, with what is wrong, when it was cancelled or rejected. `json`: a status a line, whenever it changed. */
export async function followCampaign(bus: Bus, key: CampaignKey, here: Here, how: 'text' | 'json'): Promise<ExitCode> {
  const { screen } = here
  const name = campaignName(key)
  const live = screen.tty && how === 'text'
  const goesOn = () => screen.note(`${name} goes on by itself; hato status ${name} --follow looks again`)
  here.stopping.addEventListener('abort', goesOn, { once: true })
  const { lastSeq } = await bus.streamState(STREAM.events)
  const events = bus.follow(STREAM.events, [subject('campaignEvent', key)], { fromSeq: lastSeq + 1 })
  const ended = new AbortController()
  const problems: Problem[] = []
  const hearing = hear(events, (event) => {
    if (event.type === 'rejected') problems.push(...event.problems)
    if (ENDED.has(event.type)) ended.abort()
  })
  try {
    for (let last = ''; ; ) {
      const status = await statusOf(bus, key)
      const look = { now: here.now(), paint: screen.paint, width: screen.width }
      const told = how === 'json' ? JSON.stringify(status) : progressText(status)
      if (ENDED.has(status.state)) {
        if (how === 'json') screen.out(told)
        else for (const line of [...campaignLines(status, look), `  ${rateText(status)}`]) screen.out(line)
        return endOf(status, problems)
      }
      if (live) screen.live(campaignLines(status, look))
      else if (told !== last) screen.out(told)
      last = told
      const everyMs = ended.signal.aborted ? LOOK_AGAIN_MS : live ? LOOK_EVERY_MS.screen : LOOK_EVERY_MS.log
      await pause(everyMs, undefined, { signal: AbortSignal.any(ended.signal.aborted ? [here.stopping] : [ended.signal, here.stopping]) }).catch(() => {}) // woken early
      here.stopping.throwIfAborted()
    }
  } finally {
    here.stopping.removeEventListener('abort', goesOn)
    events.close()
    await hearing
  }
}

async function hear(events: AsyncIterable<{ readonly body: Uint8Array }>, tell: (event: CampaignEvent) => void): Promise<void> {
  for await (const { body } of events) tell(JSON.parse(new TextDecoder().decode(body)) as CampaignEvent)
}

function endOf(status: CampaignStatus, problems: readonly Problem[]): ExitCode {
  if (status.state === 'finished') return EXIT.ok
  throw new Failure(
    'failed',
    `${campaignName(status)} ended ${status.state}, with ${counted(status.delivered, 'recipient')} delivered and ${counted(settledOf(status) - status.delivered, 'other')}`,
    {
      code: status.state,
      problems,
    },
  )
}
