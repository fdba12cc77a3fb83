/** What a person sees while the demo runs. Pure: a view → lines. */
import { type Progress, rowOf, TAIL } from './progress.ts'
import { cut, number, seconds, table } from './table.ts'

export interface View {
  readonly elapsedMs: number
  readonly progress: Progress
  /** recipients settled per second, lately */
  readonly perS: number
  /** site → SMTP sessions open, as the routers say */
  readonly sessions: ReadonlyMap<string, number>
  /** ISP → behaviours met and all that should be */
  readonly met: ReadonlyMap<string, { readonly met: number; readonly all: number }>
  /** what the campaigns wait for, in Hato's words */
  readonly waitingFor: readonly string[]
}

export interface Paint {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
}
const code = (on: number) => (text: string) => `\x1b[${on}m${text}\x1b[0m`
export const COLOURS: Paint = { bold: code(1), dim: code(2), good: code(32), bad: code(31) }
const same = (text: string) => text
export const PLAIN: Paint = { bold: same, dim: same, good: same, bad: same }

const BAR = 24
const COLUMNS = [
  { title: '', align: 'left' },
  { title: 'mails', align: 'right' },
  { title: 'delivered', align: 'right' },
  { title: 'refused', align: 'right' },
  { title: 'waiting', align: 'right' },
  { title: 'put off', align: 'right' },
  { title: 'sessions', align: 'right' },
  { title: 'behaviours met', align: 'right' },
] as const
/** As in the world; small domains last. */
const ORDER = ['google', 'yahoo', 'yahoo-jp', 'outlook', 'docomo', 'orange', TAIL] as const

export function drawScreen(view: View, paint: Paint, columns: number): string[] {
  const { progress, elapsedMs, perS } = view
  const share = progress.total === 0 ? 0 : progress.settled / progress.total
  const filled = Math.round(share * BAR)
  const bar = paint.good('█'.repeat(filled)) + paint.dim('░'.repeat(BAR - filled))
  const [title = '', ...rows] = table(COLUMNS, tableRows(view))
  return [
    `${seconds(elapsedMs).padStart(7)}  ${bar}  ${number(progress.settled)} of ${number(progress.total)} settled, ${number(Math.round(perS))}/s`,
    '',
    paint.bold(cut(title, columns)),
    ...rows.map((row) => cut(row, columns)),
    '',
    cut(urgentLine(progress), columns),
    paint.dim(cut(view.waitingFor.length === 0 ? '' : `waiting for ${view.waitingFor.join(', ')}`, columns)),
  ]
}

function tableRows({ progress, sessions, met }: View): string[][] {
  const rows = ORDER.map((name) => {
    const isps = [...progress.isps.values()].filter(({ isp }) => rowOf(isp) === name)
    const sum = (pick: (one: (typeof isps)[number]) => number) => isps.reduce((total, one) => total + pick(one), 0)
    const mails = sum((one) => one.mails)
    const delivered = sum((one) => one.delivered)
    const refused = sum((one) => one.refused)
    return {
      name: name as string,
      mails,
      delivered,
      refused,
      waiting: mails - delivered - refused,
      deferrals: sum((one) => one.deferrals),
      sessions: sessionsOf(sessions, name),
      ...metIn(met, name),
    }
  })
  const all = rows.reduce((sum, row) => ({
    name: 'all',
    mails: sum.mails + row.mails,
    delivered: sum.delivered + row.delivered,
    refused: sum.refused + row.refused,
    waiting: sum.waiting + row.waiting,
    deferrals: sum.deferrals + row.deferrals,
    sessions: sum.sessions + row.sessions,
    met: sum.met + row.met,
    all: sum.all + row.all,
  }))
  return [...rows, all].map((row) => [
    row.name,
    ...[row.mails, row.delivered, row.refused, row.waiting, row.deferrals, row.sessions].map(number),
    `${row.met} of ${row.all}`,
  ])
}

function sessionsOf(sessions: View['sessions'], row: string): number {
  let open = 0
  for (const [site, count] of sessions) if (site === row || (row === TAIL && !(ORDER as readonly string[]).includes(site))) open += count
  return open
}

function metIn(met: View['met'], row: string): { met: number; all: number } {
  const sum = { met: 0, all: 0 }
  for (const [isp, one] of met) {
    if (rowOf(isp) !== row) continue
    sum.met += one.met
    sum.all += one.all
  }
  return sum
}

export function urgentLine({ urgentMs, urgentTotal }: Progress): string {
  if (urgentTotal === 0) return 'urgent: goes out in the middle of the bulk'
  if (urgentMs.length === 0) return `urgent: ${urgentTotal} published`
  return `urgent: ${urgentMs.length} of ${urgentTotal} settled; first after ${seconds(Math.min(...urgentMs))}, half within ${seconds(median(urgentMs))}, last after ${seconds(Math.max(...urgentMs))}`
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
}

/** For a pipe: one line now and then. */
export function drawLine({ progress, elapsedMs, perS, sessions, waitingFor }: View): string {
  const open = [...sessions.values()].reduce((sum, count) => sum + count, 0)
  const deferrals = [...progress.isps.values()].reduce((sum, one) => sum + one.deferrals, 0)
  return `${seconds(elapsedMs)}: ${progress.settled} of ${progress.total} settled, ${Math.round(perS)}/s, ${deferrals} put off, ${open} sessions${waitingFor.length === 0 ? '' : `; waiting for ${waitingFor.join(', ')}`}`
}
