import { EVERYBODY, type SuppressionEntry, type SuppressionPage } from '../../../protocol/messages/ops.ts'
import { subject } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { parseDuration, rfc3339 } from '../../../protocol/duration.ts'
import { durationOf, given, numberOf, tenantOf } from '../arguments.ts'
import { ask } from '../ask.ts'
import type { Asked, Command, Here } from '../command.ts'
import { EXIT } from '../failure.ts'
import { clock, count, counted } from '../format.ts'
import { table } from '../table.ts'
import { exportList, importList } from '../suppress-files.ts'

const TENANT = { name: 'TENANT' } as const
/** entries of one request (protocol/messages/ops.ts) */
const AT_ONCE = 500
const PAGE = 1_000

export function askSuppression<T>(bus: Bus, tenant: string, body: object): Promise<T> {
  return ask<T>(bus, { subject: subject('suppression', { tenant }), body, who: 'scheduler', timeoutMs: 120_000 })
}

export const suppressCommands: readonly Command[] = [
  {
    name: 'suppress add',
    positionals: [TENANT, { name: 'ADDRESS', many: true }],
    options: ['reason', 'of-list', 'for', 'json'],
    says: 'nothing is sent to these addresses any more',
    more: 'Without --for it stands for good. With --of-list a hand entry or an unsubscribe holds only mail of that list. TENANT @all stands for every tenant: the list that only operators fill.',
    examples: ['hato suppress add acme taro@example.jp --reason complaint', 'hato suppress add acme a@example.jp b@example.jp --of-list news'],
    async run(asked, here) {
      const [tenant, addresses] = tenantAndAddresses(asked)
      const ms = parseDuration(durationOf(asked, 'for') ?? '')
      const more = given({ reason: asked.values.get('reason'), list: asked.values.get('of-list'), until: ms === null ? undefined : rfc3339(here.now() + ms) })
      const bus = await here.bus()
      let added = 0
      for (const some of chunks(addresses))
        added += (await askSuppression<{ added: number }>(bus, tenant, { action: 'add', entries: some.map((address) => ({ address, ...more })) })).added
      here.screen.out(asked.flags.has('json') ? JSON.stringify({ ok: true, added }) : `${counted(added, 'address', 'addresses')} suppressed for ${tenant}`)
      return EXIT.ok
    },
  },
  {
    name: 'suppress remove',
    positionals: [TENANT, { name: 'ADDRESS', many: true }],
    options: ['of-list', 'json'],
    says: 'they may get mail again',
    examples: ['hato suppress remove acme taro@example.jp'],
    async run(asked, here) {
      const [tenant, addresses] = tenantAndAddresses(asked)
      const bus = await here.bus()
      let removed = 0
      for (const some of chunks(addresses))
        removed += (
          await askSuppression<{ removed: number }>(bus, tenant, { action: 'remove', addresses: some, ...given({ list: asked.values.get('of-list') }) })
        ).removed
      here.screen.out(
        asked.flags.has('json')
          ? JSON.stringify({ ok: true, removed })
          : removed === 0
            ? `nothing stood there for ${addresses.join(', ')}`
            : `${counted(removed, 'entry', 'entries')} taken off ${tenant}'s list`,
      )
      return EXIT.ok
    },
  },
  {
    name: 'suppress list',
    positionals: [TENANT, { name: 'ADDRESS', optional: true }],
    options: ['limit', 'after', 'json'],
    says: 'who is suppressed and why, or why one address is',
    examples: ['hato suppress list acme', 'hato suppress list acme taro@example.jp', 'hato suppress list acme --limit 0 --json > all.json'],
    async run(asked, here) {
      const tenant = listOwnerOf(asked.positionals[0] as string)
      const address = asked.positionals[1]
      const bus = await here.bus()
      const page = address === undefined ? await pages(bus, tenant, asked) : await askSuppression<SuppressionPage>(bus, tenant, { action: 'list', address })
      if (asked.flags.has('json')) here.screen.out(JSON.stringify(page))
      else show(page, tenant, address, here)
      return EXIT.ok
    },
  },
  {
    name: 'suppress import',
    positionals: [TENANT, { name: 'FILE|-' }],
    options: ['skip-unusable', 'json'],
    says: 'adds a whole file: CSV, or an address a line',
    more: 'The CSV (RFC 4180) has a header row: address, and if you like reason, list, since, until, reply; other columns are passed over. Everything is checked first: when one line is unusable nothing is imported, and the first 1,000 such lines are named; --skip-unusable leaves them out. Importing the same twice changes nothing.',
    examples: ['hato suppress import acme unsubscribed.csv', 'hato suppress import @all spamtraps.csv --skip-unusable'],
    async run(asked, here) {
      const tenant = listOwnerOf(asked.positionals[0] as string)
      const skipUnusable = asked.flags.has('skip-unusable')
      const { added, unusable, problems } = await importList(await here.bus(), tenant, asked.positionals[1] as string, here, { skipUnusable })
      here.screen.out(
        asked.flags.has('json')
          ? JSON.stringify({ ok: true, added, unusable, problems })
          : `${counted(added, 'entry', 'entries')} imported for ${tenant}${unusable > 0 ? `, ${counted(unusable, 'line')} left out` : ''}`,
      )
      return EXIT.ok
    },
  },
  {
    name: 'suppress export',
    positionals: [TENANT, { name: 'FILE|-', optional: true }],
    options: [],
    says: 'the whole list as CSV, to a file or to standard output',
    examples: ['hato suppress export acme suppressed.csv'],
    async run(asked, here) {
      const tenant = listOwnerOf(asked.positionals[0] as string)
      const file = asked.positionals[1] ?? '-'
      const exported = await exportList(await here.bus(), tenant, file, (text) => here.screen.pass(text))
      if (file !== '-') here.screen.out(`${counted(exported, 'entry', 'entries')} written to ${file}`)
      return EXIT.ok
    },
  },
]

function tenantAndAddresses({ positionals }: Asked): [string, readonly string[]] {
  return [listOwnerOf(positionals[0] as string), positionals.slice(1)]
}

function* chunks(addresses: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < addresses.length; at += AT_ONCE) yield addresses.slice(at, at + AT_ONCE)
}

/** A tenant, or all of them. */
function listOwnerOf(text: string): string {
  return text === EVERYBODY ? text : tenantOf(text)
}

async function pages(bus: Bus, tenant: string, asked: Asked): Promise<SuppressionPage> {
  const limit = numberOf(asked, 'limit', { whole: true, min: 0, max: 100_000_000 }) ?? 100
  const entries: SuppressionEntry[] = []
  let [after, total] = [asked.values.get('after'), 0]
  for (;;) {
    const wanted = limit === 0 ? PAGE : Math.min(PAGE, limit - entries.length)
    const page = await askSuppression<SuppressionPage>(bus, tenant, { action: 'list', limit: wanted, ...given({ after }) })
    total = page.total
    entries.push(...page.entries)
    if (page.next === null || entries.length === limit) return { entries, total, next: page.next }
    after = page.next
  }
}

function show({ entries, total, next }: SuppressionPage, tenant: string, address: string | undefined, { screen, now }: Here): void {
  if (entries.length === 0) {
    screen.out(address === undefined ? `nobody is suppressed for ${tenant}` : `${address} is not suppressed for ${tenant}`)
    return
  }
  const day = (at: string | null | undefined) => (at ? clock(at, now()) : '')
  const columns = [
    { title: 'address', atLeast: 16, cell: (entry: SuppressionEntry) => entry.address },
    { title: 'reason', cell: (entry: SuppressionEntry) => entry.reason },
    { title: 'list', atLeast: 6, cell: (entry: SuppressionEntry) => entry.list ?? '' },
    { title: 'since', cell: (entry: SuppressionEntry) => day(entry.since) },
    { title: 'until', cell: (entry: SuppressionEntry) => day(entry.until) },
    { title: 'reply', atLeast: 10, cell: (entry: SuppressionEntry) => entry.reply ?? '' },
  ]
  for (const line of table(columns, entries, screen)) screen.out(line)
  if (next !== null) screen.note(`${count(entries.length)} of ${count(total)}; --after ${next} goes on, --limit 0 shows all`)
}
