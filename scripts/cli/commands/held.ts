import type { HeldDecided, HeldPage } from '../../../protocol/messages/held.ts'
import { given, lastTokenOf, tenantOf } from '../arguments.ts'
import type { Asked, Command, Here } from '../command.ts'
import { EXIT } from '../failure.ts'
import { clock, count, counted } from '../format.ts'
import { table } from '../table.ts'
import { askSuppression } from './suppress.ts'

const POSITIONALS = [{ name: 'TENANT' }, { name: 'ADDRESS', optional: true, many: true }] as const

/** Unknown users that were not believed (delivery.md §8): a person's part of it. */
export const heldCommands: readonly Command[] = [
  {
    name: 'suppress held',
    positionals: [{ name: 'TENANT' }],
    options: ['json'],
    says: 'unknown users that were not believed, since their site said it to too many at once',
    more: 'Nothing is written of them. A delivery refutes one, the same answer a day later confirms it; until then a person may confirm or drop them.',
    examples: ['hato suppress held acme'],
    async run(asked, here) {
      const tenant = tenantOf(asked.positionals[0] as string)
      const page = await askSuppression<HeldPage>(await here.bus(), tenant, { action: 'held' })
      if (asked.flags.has('json')) here.screen.out(JSON.stringify(page))
      else show(page, tenant, here)
      return EXIT.ok
    },
  },
  {
    name: 'suppress confirm',
    positionals: POSITIONALS,
    options: ['site', 'json'],
    says: 'they really do not exist: held verdicts become entries',
    more: 'All of the tenant, unless --site or addresses say which.',
    examples: ['hato suppress confirm acme --site google', 'hato suppress confirm acme taro@example.jp'],
    run: (asked, here) => decide('confirm', asked, here),
  },
  {
    name: 'suppress drop',
    positionals: POSITIONALS,
    options: ['site', 'json'],
    says: 'they do exist: held verdicts are forgotten',
    more: 'All of the tenant, unless --site or addresses say which.',
    examples: ['hato suppress drop acme --site google'],
    run: (asked, here) => decide('drop', asked, here),
  },
]

async function decide(action: 'confirm' | 'drop', asked: Asked, here: Here) {
  const tenant = tenantOf(asked.positionals[0] as string)
  const addresses = asked.positionals.slice(1)
  const site = asked.values.get('site')
  const ask = { action, ...given({ site: site && lastTokenOf(site, 'a site'), addresses: addresses.length > 0 ? addresses : undefined }) }
  const answer = await askSuppression<HeldDecided>(await here.bus(), tenant, ask)
  const what = action === 'confirm' ? `now suppressed for ${tenant}` : `forgotten; ${tenant} may write to them`
  here.screen.out(asked.flags.has('json') ? JSON.stringify(answer) : `${counted(answer.decided, 'held verdict')} ${what}`)
  return EXIT.ok
}

function show({ sites, total }: HeldPage, tenant: string, { screen, now }: Here): void {
  if (total === 0) {
    screen.out(`no verdict is held for ${tenant}`)
    return
  }
  type Row = HeldPage['sites'][number]
  const columns = [
    { title: 'site', atLeast: 10, cell: ({ site }: Row) => site },
    { title: 'held', side: 'right' as const, cell: (row: Row) => count(row.count) },
    { title: 'since', cell: ({ since }: Row) => clock(since, now()) },
    { title: 'the site', cell: ({ brakeSince }: Row) => (brakeSince === null ? 'is itself again' : `is not believed since ${clock(brakeSince, now())}`) },
    { title: 'it said', atLeast: 10, cell: ({ reply }: Row) => reply },
  ]
  for (const line of table(columns, sites, screen)) screen.out(line)
}
