import type { FleetRecord } from '../../../protocol/fleet.ts'
import { STREAM } from '../../../protocol/streams.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { Infrastructure, InvariantBroken } from '../../../services/runtime/errors.ts'
import type { Command, Here } from '../command.ts'
import { judgeActors, readOwning } from '../doctor/actors.ts'
import { bad, type Chapter, type Diagnosis, unknown } from '../doctor/diagnosis.ts'
import { lookAtFleet, readFleet } from '../doctor/fleet.ts'
import { lookAtHeld } from '../doctor/held.ts'
import { lookAtIps } from '../doctor/ips.ts'
import { lookAtMail } from '../doctor/mail.ts'
import { lookAtNats } from '../doctor/nats.ts'
import { lookAtReplies } from '../doctor/replies.ts'
import { chapterLines, isHealthy, verdictLine } from '../doctor/screen.ts'
import { lookAtSites } from '../doctor/sites.ts'
import { EXIT, Failure } from '../failure.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  positionals: [],
  options: ['json'],
  says: 'looks at all that could keep mail from arriving, and what to do',
  more: 'It looks at NATS and its store, the actors, DNS of domains and IPs, modes of IPs and sites, mail that is stuck, verdicts about recipients that were not believed, replies that no rule knows. What is missing in DNS is shown as it should be published. Exit code 1 when something is wrong (✗); what only deserves a look (!) is 0.',
  examples: ['hato doctor', 'hato doctor --json | jq "[.chapters[].lines[] | select(.verdict == \\"bad\\")]"'],
  async run(asked, here) {
    const bus = await here.bus()
    const chapters = await examine(bus, here)
    if (asked.flags.has('json')) here.screen.out(JSON.stringify({ ok: isHealthy(chapters), chapters }))
    else {
      for (const chapter of chapters) for (const line of [...chapterLines(chapter, here.screen), '']) here.screen.out(line)
      here.screen.out(verdictLine(chapters, here.screen.paint))
    }
    return isHealthy(chapters) ? EXIT.ok : EXIT.failed
  },
}

/** All at once; what one look cannot find out does not keep the others from being told. */
async function examine(bus: Bus, here: Here): Promise<Chapter[]> {
  const url = await here.natsUrl()
  const now = here.now()
  // Where no cluster ever ran there is nothing else to look at.
  if (!(await bus.hasStream(STREAM.jobs))) return [{ title: 'NATS', lines: await lookAtNats(bus, url) }]
  const record = attempt(() => readFleet(bus))
  const fleet = async (): Promise<FleetRecord | null> => {
    const read = await record
    if ('failed' in read) throw read.failed
    return read.value
  }
  const looks: readonly (readonly [title: string, look: () => Promise<Diagnosis[]>])[] = [
    ['NATS', () => lookAtNats(bus, url)],
    ['Actors', async () => judgeActors(await readOwning(bus), (await fleet())?.fleet.isp ?? [])],
    ['Fleet and DNS', async () => lookAtFleet(await fleet(), now)],
    ['IPs', async () => lookAtIps(bus, (await fleet())?.fleet.ip ?? [], now)],
    ['Sites', () => lookAtSites(bus, now)],
    ['Mail that waits', () => lookAtMail(bus, now)],
    ['Recipients', async () => lookAtHeld(bus, (await fleet())?.fleet.tenant.map(({ name }) => name) ?? [])],
    ['Replies', () => lookAtReplies(bus)],
  ]
  return Promise.all(
    looks.map(async ([title, look]) => {
      const looked = await attempt(look)
      return { title, lines: 'failed' in looked ? [couldNot(looked.failed)] : looked.value }
    }),
  )
}

async function attempt<T>(look: () => Promise<T>): Promise<{ readonly value: T } | { readonly failed: unknown }> {
  try {
    return { value: await look() }
  } catch (error) {
    return { failed: error }
  }
}

function couldNot(error: unknown): Diagnosis {
  if (error instanceof Failure) return error.kind === 'unavailable' ? bad(error.message) : unknown(error.message)
  if (error instanceof Infrastructure) return unknown(error.code === 'denied' ? `this NATS user may not look there (${error.message})` : error.message)
  if (error instanceof InvariantBroken && error.invariant === 'jetstream') return unknown(`NATS says: ${error.message}`)
  throw error
}
