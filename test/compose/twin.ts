import { campaignFor } from './campaign.ts'
import type { Checks } from './checks.ts'
import { connectHato, verdictOn } from './hato.ts'
import type { Project } from './project.ts'

const RECIPIENTS = 100
const FINISHED_WITHIN_MS = 120_000

/** The same question to a far end that says 250 to one mail and throws it away: whoever asks must hear of it. */
export async function twin(project: Project, checks: Checks): Promise<void> {
  await project.compose(['up', '-d', '--scale', 'sender=2'], { HATO_WORLD_PLANT: 'lose-one' })
  await using hato = await connectHato(project.natsUrl)
  const campaign = campaignFor('one-is-lost', RECIPIENTS, 100)
  await hato.publish(campaign)
  await hato.untilFinished(campaign, FINISHED_WITHIN_MS)
  const verdict = await verdictOn(project.worldUrl, [campaign], hato.carriers)
  checks.check('a far end that loses one mail on purpose is found out: lost 1', !verdict.ok && verdict.lost === 1 && verdict.doubled === 0, verdict)
}
