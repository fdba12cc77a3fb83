/** A campaign's status as people see it. Pure. */
import { type CampaignStatus, UNDER_WAY } from '../../protocol/messages/campaign.ts'
import type { EpochMs } from '../../protocol/words.ts'
import { bar, clock, count, counted, percent, span, until } from './format.ts'
import type { Paint, Style } from './screen.ts'
import { table } from './table.ts'
import { wrap } from './text.ts'

export interface Look {
  readonly now: EpochMs
  readonly paint: Paint
  readonly width: number
}

const STATE_STYLE: Readonly<Partial<Record<CampaignStatus['state'], Style>>> = {
  running: 'cyan',
  finished: 'green',
  paused: 'yellow',
  cancelling: 'yellow',
  cancelled: 'yellow',
  rejected: 'red',
}
const MOST_SITES = 15
const BAR_WIDTH = 30

export function settledOf(status: CampaignStatus): number {
  return status.delivered + status.bounced + status.expired + status.suppressed + status.cancelled
}

export function campaignLines(status: CampaignStatus, look: Look): string[] {
  const { paint, now } = look
  const style = STATE_STYLE[status.state]
  const head = `${paint('bold', `${status.tenant}/${status.id}`)}  ${style ? paint(style, status.state) : status.state}  ${when(status, now)}`.trimEnd()
  if (status.recipients === undefined) return [head] // received, and not judged yet
  return [head, progressLine(status), ...indented(countsOf(status), look), ...indented(notes(status), look), ...waitingLines(status, look)]
}

/** One line for a pipe or log. */
export function progressText(status: CampaignStatus): string {
  return `${status.tenant}/${status.id} ${status.state}: ${count(settledOf(status))} of ${counted(status.recipients, 'recipient')} settled (${percent(settledOf(status), status.recipients)}); ${countsOf(status).join(', ')}`
}

function when({ acceptedAt, startedAt, finishedAt }: CampaignStatus, now: EpochMs): string {
  if (acceptedAt == null) return ''
  const begun = startedAt ?? acceptedAt
  if (finishedAt !== null) return `${clock(finishedAt, now)}, after ${span(Date.parse(finishedAt) - Date.parse(begun))}`
  return `${startedAt === null ? 'accepted' : 'started'} ${clock(begun, now)}, ${span(now - Date.parse(begun))} ago`
}

function progressLine(status: CampaignStatus): string {
  const settled = settledOf(status)
  const counting = status.state === 'counting' || status.state === 'received' ? ' read so far' : ''
  return `  ${bar(settled, status.recipients, BAR_WIDTH)}  ${percent(settled, status.recipients)} settled, ${count(settled)} of ${counted(status.recipients, 'recipient')}${counting}`
}

/** `98.6 % delivered in 12 s, 806 recipients a second` */
export function rateText(status: CampaignStatus): string {
  const begun = status.startedAt ?? status.acceptedAt
  const tookMs = status.finishedAt === null || begun === null ? 0 : Date.parse(status.finishedAt) - Date.parse(begun)
  const rate = tookMs > 0 ? `, ${counted(settledOf(status) / (tookMs / 1_000), 'recipient')} a second` : ''
  return `${percent(status.delivered, status.recipients)} delivered in ${span(tookMs)}${rate}`
}

/** What has an outcome, and what waits; zeros say nothing and are left out. */
export function countsOf(status: CampaignStatus): string[] {
  const unconfirmed = status.unconfirmed > 0 ? ` (${count(status.unconfirmed)} unconfirmed)` : ''
  const deferred = status.deferred > 0 ? ` (${count(status.deferred)} deferred)` : ''
  return [
    `${count(status.delivered)} delivered${unconfirmed}`,
    ...(['bounced', 'expired', 'suppressed', 'cancelled'] as const).filter((word) => status[word] > 0).map((word) => `${count(status[word])} ${word}`),
    `${count(status.waiting)} waiting${deferred}`,
  ]
}

function notes(status: CampaignStatus): string[] {
  const parts: [number, string][] = [
    [status.duplicates, 'duplicates in the list'],
    [status.unusable, 'unusable lines'],
    [status.mayBeDuplicate, 'may have been sent twice'],
    [status.bouncedLater, 'bounced later'],
    [status.complained, 'complained'],
    [status.unsubscribed, 'unsubscribed'],
  ]
  return parts.filter(([n]) => n > 0).map(([n, says]) => `${count(n)} ${says}`)
}

function indented(parts: readonly string[], { width }: Look): string[] {
  return parts.length === 0
    ? []
    : wrap(parts.map((part) => part.replaceAll(' ', '\u00a0')).join(' · '), Math.min(width, 100) - 2).map((line) => `  ${line.replaceAll('\u00a0', ' ')}`)
}

/** Sites that wait with their reason; who is on the way is counted. */
function waitingLines({ waitingFor: rows, waiting }: CampaignStatus, look: Look): string[] {
  const waitingFor = rows.filter(({ because }) => because !== UNDER_WAY)
  const onTheWay = waiting - waitingFor.reduce((sum, { count: n }) => sum + n, 0)
  const rest = onTheWay > 0 ? [`  ${counted(onTheWay, 'recipient is', 'recipients are')} on the way`] : []
  if (waitingFor.length === 0) return rest
  const shown = waitingFor.slice(0, MOST_SITES)
  const lines = table(
    [
      { title: 'waiting for', atLeast: 12, cell: ({ site }) => site },
      { title: 'recipients', side: 'right', cell: (row) => count(row.count) },
      { title: 'because', atLeast: 10, cell: ({ because }) => because },
      { title: 'until', atLeast: 9, cell: (row) => until(row.until, look.now) },
    ],
    shown,
    { ...look, width: look.width - 2 },
  )
  const more = waitingFor.length - shown.length
  return [...rest, '', ...lines.map((line) => `  ${line}`), ...(more > 0 ? [`  and ${counted(more, 'more site')}`] : [])]
}
