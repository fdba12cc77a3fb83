import { campaignName } from '../../../protocol/ids.ts'
import type { CampaignState } from '../../../protocol/words.ts'
import { subject } from '../../../protocol/subjects.ts'
import { campaignOf } from '../arguments.ts'
import { ask } from '../ask.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../failure.ts'

const ACTIONS = {
  pause: { says: 'no more of it is sent from now on (≤ 2 s), until resume', next: 'hato resume goes on' },
  resume: { says: 'goes on with a paused campaign, also where a breaker stopped it', next: 'hato status shows how it goes' },
  cancel: { says: 'ends it: who has no outcome yet gets "cancelled"', next: 'what was already sent stays sent; hato status shows how many were not' },
} as const

export const controlCommands: readonly Command[] = (['pause', 'resume', 'cancel'] as const).map((action) => ({
  name: action,
  positionals: [{ name: 'TENANT/ID' }],
  options: action === 'cancel' ? ['json'] : ['site', 'json'],
  says: ACTIONS[action].says,
  examples: [`hato ${action} acme/spring-2026`],
  async run(asked, here) {
    const key = campaignOf(asked.positionals[0] as string)
    const site = asked.values.get('site')
    const answer = await ask<{ readonly ok: true; readonly state: CampaignState }>(await here.bus(), {
      subject: subject('campaignControl', key),
      body: { action, ...(site !== undefined && { site }) },
      who: 'scheduler',
    })
    here.screen.out(
      asked.flags.has('json')
        ? JSON.stringify(answer)
        : `${campaignName(key)} is ${here.screen.paint('bold', answer.state)}${site === undefined ? '' : `, ${action}d at ${site}`}; ${ACTIONS[action].next}`,
    )
    return EXIT.ok
  },
}))
