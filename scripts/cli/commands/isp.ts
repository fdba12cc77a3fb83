import type { IspStatus } from '../../../protocol/messages/ops.ts'
import { subject, SUBJECTS } from '../../../protocol/subjects.ts'
import { durationOf, given, lastTokenOf, numberOf } from '../arguments.ts'
import { ask } from '../ask.ts'
import type { Asked, Command } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'
import { until } from '../format.ts'
import { siteLines, siteTable } from '../isp-screen.ts'
import type { OptionName } from '../options.ts'

interface Row {
  readonly says: string
  readonly options: readonly OptionName[]
  readonly example: string
  readonly more: string
}
const LISTED = 'It is listed by hato isp SITE, ends by itself (--for, 1h without it), and can be taken back before.'
const ACTIONS: Readonly<Record<'pause' | 'resume' | 'limit' | 'clear', Row>> = {
  pause: { says: 'nothing is sent to the site', options: ['for'], example: 'google --for 30m', more: LISTED },
  resume: { says: 'takes a pause back', options: ['id'], example: 'google', more: 'Without --id all pauses of the site.' },
  limit: {
    says: 'fewer sessions, a slower pace, or both',
    options: ['sessions-per-ip', 'rate', 'for'],
    example: 'docomo --sessions-per-ip 2 --rate 50 --for 24h',
    more: LISTED,
  },
  clear: {
    says: 'takes back what is ordered there: limits, pauses, rests',
    options: ['id'],
    example: 'yahoo-jp --id rest',
    more: 'Without --id everything.',
  },
}
type Action = keyof typeof ACTIONS

export const ispCommands: readonly Command[] = [
  {
    name: 'isp',
    positionals: [{ name: 'SITE', optional: true }],
    options: ['json'],
    says: 'how each ISP is being served; one of them in detail',
    more: 'A site is what shares limits: a provider (google, docomo) or, for the rest, a mail host\'s domain (example.jp). "open" of "window" sessions are in use; a site that rests says why and until when.',
    examples: ['hato isp', 'hato isp google', 'hato isp --json | jq ".sites[] | select(.resting)"'],
    async run(asked, here) {
      const [text] = asked.positionals
      const site = text === undefined ? null : siteOf(text)
      const answer = await ask<IspStatus>(await here.bus(), {
        subject: site === null ? SUBJECTS.ispStatus.on : subject('ispStatusOf', { site }),
        who: 'domain-router',
      })
      const look = { now: here.now(), paint: here.screen.paint, width: here.screen.width }
      if (asked.flags.has('json')) here.screen.out(JSON.stringify(answer))
      else for (const line of site === null ? siteTable(answer, look) : one(answer, site).flatMap((found) => siteLines(found, look))) here.screen.out(line)
      return EXIT.ok
    },
  },
  ...(Object.keys(ACTIONS) as Action[]).map((action): Command => {
    const { says, options, example, more } = ACTIONS[action]
    return {
      name: `isp ${action}`,
      positionals: [{ name: 'SITE' }],
      options: [...options, 'json'],
      says,
      more,
      examples: [`hato isp ${action} ${example}`],
      async run(asked, here) {
        const site = siteOf(asked.positionals[0] as string)
        const body = { action, ...orderOf(action, asked), by: here.env.USER ? `ops: ${here.env.USER}` : 'ops' }
        const answer = await ask<{ readonly ok: true; readonly id: string | null; readonly until: string | null }>(await here.bus(), {
          subject: subject('ispControl', { site }),
          body,
          who: 'domain-router',
        })
        here.screen.out(asked.flags.has('json') ? JSON.stringify(answer) : said(action, site, answer, here.now()))
        return EXIT.ok
      },
    }
  }),
]

function orderOf(action: Action, asked: Asked): Readonly<Record<string, unknown>> {
  const order = given({
    sessionsPerIp: numberOf(asked, 'sessions-per-ip', { whole: true, min: 1, max: 1_000 }),
    rate: numberOf(asked, 'rate', { whole: false, min: 0.001, max: 1_000_000 }),
    for: durationOf(asked, 'for'),
    id: asked.values.get('id'),
  })
  if (action === 'limit' && order.sessionsPerIp === undefined && order.rate === undefined)
    throw new Failure('usage', 'isp limit needs --sessions-per-ip N, --rate N, or both')
  return order
}

function said(action: Action, site: string, { id, until: end }: { readonly id: string | null; readonly until: string | null }, now: number): string {
  switch (action) {
    case 'pause':
    case 'limit':
      return `${site} is ${action === 'pause' ? 'paused' : 'limited'}${end ? ` until ${until(end, now)}` : ''}; ${id === null ? '' : `hato isp ${action === 'pause' ? 'resume' : 'clear'} ${site} --id ${id} takes it back`}`
    case 'resume':
    case 'clear':
      return `${site}: ${id === null ? (action === 'resume' ? 'no pause stands any more' : 'nothing is ordered there any more') : `${id} is taken back`}`
  }
}

function siteOf(text: string): string {
  return lastTokenOf(text.toLowerCase(), 'a site such as google or example.jp')
}

function one({ sites }: IspStatus, site: string): IspStatus['sites'] {
  if (sites.length > 0) return sites
  throw new Failure('failed', `nothing is known of ${site}: no mail went there lately; hato isp lists what is known`, { code: 'unknown-site' })
}
