import { isIP } from 'node:net'
import type { IpReputation } from '../../../protocol/messages/ops.ts'
import { subject, SUBJECTS } from '../../../protocol/subjects.ts'
import type { IpMode } from '../../../protocol/words.ts'
import { nearest } from '../../../services/runtime/nearest.ts'
import { durationOf, given } from '../arguments.ts'
import { ask } from '../ask.ts'
import type { Command } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'
import { until } from '../format.ts'
import { ipDetailLines, ipLines } from '../ip-screen.ts'

const ACTIONS = {
  quarantine: { says: 'takes an IP out of service until it is released', example: '--because "listed at Spamhaus" --for 24h' },
  release: { says: 'lets a quarantined or drained IP serve again', example: '--because "delisted"' },
  drain: { says: 'lets an IP finish what it has, then rest', example: '--because "moves to the other rack"' },
} as const
type Action = keyof typeof ACTIONS

export const ipCommands: readonly Command[] = [
  {
    name: 'ip',
    positionals: [{ name: 'ADDRESS', optional: true }],
    options: ['json'],
    says: 'mode and counts of the source IPs; of one of them by site',
    more: 'Counts are totals since the IP was added. "warm-up" is what was sent of what the day of the ramp allows.',
    examples: ['hato ip', 'hato ip 203.0.113.7', 'hato ip --json | jq ".ips[] | select(.mode != \\"serving\\")"'],
    async run(asked, here) {
      const [text] = asked.positionals
      const address = text === undefined ? null : addressOf(text)
      const bus = await here.bus()
      const answer = await ask<IpReputation>(bus, {
        subject: address === null ? SUBJECTS.ipReputation.on : subject('ipReputationOf', { address }),
        who: 'ip-manager',
      })
      const look = { now: here.now(), paint: here.screen.paint, width: here.screen.width }
      if (asked.flags.has('json')) here.screen.out(JSON.stringify(answer))
      else for (const line of address === null ? ipLines(answer, look) : detail(answer, address).flatMap((ip) => ipDetailLines(ip, look))) here.screen.out(line)
      return EXIT.ok
    },
  },
  ...(Object.keys(ACTIONS) as Action[]).map(
    (action): Command => ({
      name: `ip ${action}`,
      positionals: [{ name: 'ADDRESS' }],
      options: action === 'release' ? ['because', 'json'] : ['because', 'for', 'json'],
      says: ACTIONS[action].says,
      more: action === 'release' ? '' : 'Without --for it stays so until hato ip release.',
      examples: [`hato ip ${action} 203.0.113.7 ${ACTIONS[action].example}`],
      async run(asked, here) {
        const address = addressOf(asked.positionals[0] as string)
        const body = { action, ...given({ because: asked.values.get('because'), for: durationOf(asked, 'for') }) }
        const answer = await ask<{ readonly ok: true; readonly mode: IpMode; readonly until: string | null }>(await here.bus(), {
          subject: subject('ipControl', { address }),
          body,
          who: 'ip-manager',
        })
        here.screen.out(
          asked.flags.has('json')
            ? JSON.stringify(answer)
            : `${address} is ${here.screen.paint('bold', answer.mode)}${answer.until ? ` until ${until(answer.until, here.now())}` : ''}`,
        )
        return EXIT.ok
      },
    }),
  ),
]

/** Checked here, since a mistyped action would be asked as an address. */
function addressOf(text: string): string {
  if (isIP(text) !== 0) return text.toLowerCase()
  const meant = nearest(text, Object.keys(ACTIONS))
  throw new Failure('usage', `"${text}" is not an IP address${meant === null ? '' : `; did you mean hato ip ${meant} ADDRESS?`}`)
}

function detail({ ips }: IpReputation, address: string): IpReputation['ips'] {
  if (ips.length > 0) return ips
  throw new Failure('failed', `${address} is not in the fleet; hato ip lists what is`, { code: 'unknown-ip' })
}
