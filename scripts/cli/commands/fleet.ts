import type { Problem } from '../../../protocol/campaign.ts'
import { subject } from '../../../protocol/subjects.ts'
import { readFleetFile } from '../../start/fleet-file.ts'
import { ask } from '../ask.ts'
import type { Command } from '../command.ts'
import { EXIT, problemLine } from '../failure.ts'
import { fleetLines } from '../fleet-screen.ts'
import { counted } from '../format.ts'
import { fleetInForce } from '../tenant.ts'
import { hiddenBuiltIns } from '../hidden-rules.ts'
import { printable } from '../text.ts'

export const applyCommand: Command = {
  name: 'apply',
  positionals: [{ name: 'FLEET' }],
  options: ['json'],
  says: 'puts a fleet file (TOML) into force: tenants, pools, IPs, DKIM keys, ISPs',
  more: 'The file is checked first, with every problem by line; what is wrong changes nothing. The actors take the new document at once, without a restart. Key files are read here and travel with it.',
  examples: ['hato apply fleet.toml && hato doctor'],
  async run(asked, here) {
    const fleet = await readFleetFile(asked.positionals[0] as string)
    const answer = await ask<{ readonly revision: number; readonly warnings?: readonly Problem[] }>(await here.bus(), {
      subject: subject('fleetApply', {}),
      body: fleet,
      who: 'ip-manager',
      timeoutMs: 30_000,
    })
    const warnings = [...(answer.warnings ?? []), ...hiddenBuiltIns(fleet.rule ?? [])]
    if (asked.flags.has('json')) {
      here.screen.out(JSON.stringify({ ...answer, ...(warnings.length > 0 && { warnings }) }))
      return EXIT.ok
    }
    here.screen.out(
      `fleet revision ${answer.revision} is in force: ${counted(fleet.ip?.length ?? 0, 'IP')}, ${counted(fleet.pool?.length ?? 0, 'pool')}, ${counted(fleet.tenant?.length ?? 0, 'tenant')}`,
    )
    for (const warning of warnings) here.screen.out(`  ${here.screen.paint('yellow', '!')} ${printable(problemLine(warning))}`)
    return EXIT.ok
  },
}

export const fleetCommand: Command = {
  name: 'fleet',
  positionals: [],
  options: ['json'],
  says: 'the fleet document in force, without its secrets',
  examples: ['hato fleet', 'hato fleet --json | jq .fleet.ip'],
  async run(asked, here) {
    const answer = await fleetInForce(await here.bus())
    if (asked.flags.has('json')) here.screen.out(JSON.stringify(answer))
    else for (const line of fleetLines(answer, { now: here.now(), paint: here.screen.paint, width: here.screen.width })) here.screen.out(line)
    return EXIT.ok
  },
}
