import { parseDuration } from '../../../protocol/duration.ts'
import { ID_PATTERN, parseCampaignName } from '../../../protocol/ids.ts'
import { STREAM } from '../../../protocol/streams.ts'
import { wildcard } from '../../../protocol/subjects.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { durationOf, tenantOf } from '../arguments.ts'
import type { Asked, Command } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'

export const eventsCommand: Command = {
  name: 'events',
  positionals: [],
  options: ['tenant', 'campaign', 'since', 'follow', 'json'],
  says: 'what happened to campaigns and IPs, as NDJSON',
  more: "One event a line, as it was published: accepted, rejected, progress, paused, resumed, cancelled, finished; without --tenant and --campaign also every change of an IP's mode. They are kept for 30 days. With --follow it goes on with what happens next, until Ctrl-C.",
  examples: [
    'hato events --since 1h',
    'hato events --campaign acme/spring-2026 --follow',
    'hato events --tenant acme --follow | jq -c "select(.type == \\"rejected\\")"',
  ],
  async run(asked, here) {
    const filters = filtersOf(asked)
    const since = durationOf(asked, 'since')
    const bus = await here.bus()
    const { firstSeq, lastSeq } = await bus.streamState(STREAM.events)
    const fromSeq = since === undefined ? firstSeq : await firstAfter(bus, STREAM.events, here.now() - (parseDuration(since) as number), firstSeq, lastSeq)
    if (asked.flags.has('follow')) {
      const events = bus.follow(STREAM.events, filters, { fromSeq: Math.max(1, fromSeq) })
      here.stopping.addEventListener('abort', () => events.close())
      for await (const { body } of events) here.screen.out(oneLine(body))
      return EXIT.interrupted
    }
    for (const message of await inOrder(bus, filters, fromSeq)) here.screen.out(message)
    return EXIT.ok
  },
}

export function filtersOf({ values }: Pick<Asked, 'values'>): string[] {
  const campaign = values.get('campaign')
  const tenant = values.has('tenant') ? tenantOf(values.get('tenant') as string) : undefined
  if (campaign === undefined) return tenant === undefined ? [wildcard('campaignEvent'), wildcard('ipEvent')] : [wildcard('campaignEvent', { tenant })]
  const named = parseCampaignName(campaign)
  if (named === null && (tenant === undefined || !ID_PATTERN.test(campaign)))
    throw new Failure('usage', `--campaign is "${campaign}"; write TENANT/ID such as acme/spring-2026, or an ID beside --tenant`)
  if (named !== null && tenant !== undefined && named.tenant !== tenant)
    throw new Failure('usage', `--campaign says tenant ${named.tenant}, --tenant says ${tenant}`)
  return [wildcard('campaignEvent', named ?? { tenant: tenant as string, id: campaign })]
}

/** Two filters are two readings of one stream: put back into its order. */
async function inOrder(bus: Bus, filters: readonly string[], fromSeq: number): Promise<string[]> {
  const lines: { readonly seq: number; readonly line: string }[] = []
  for (const filter of filters)
    for await (const { seq, body } of bus.scan(STREAM.events, filter, { fromSeq: Math.max(1, fromSeq) })) lines.push({ seq, line: oneLine(body) })
  return lines.sort((a, b) => a.seq - b.seq).map(({ line }) => line)
}

/** The first sequence of the stream that is younger than `at`, by halving: 20 questions for a million messages. */
export async function firstAfter(bus: Pick<Bus, 'readNext'>, stream: string, at: EpochMs, firstSeq: number, lastSeq: number): Promise<number> {
  let [low, high] = [firstSeq, lastSeq + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const message = await bus.readNext(stream, '>', middle - 1)
    if (message === null || message.at >= at) high = middle
    else low = message.seq + 1
  }
  return low
}

/** As published; JSON of several lines becomes one. */
function oneLine(body: Uint8Array): string {
  const text = new TextDecoder().decode(body)
  return text.includes('\n') ? JSON.stringify(JSON.parse(text)) : text
}
