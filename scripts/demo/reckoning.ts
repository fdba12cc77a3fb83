/**
 * The end of the demo: what was published, what the cluster says, what lies at the far end. Pure.
 */
import type { CampaignStatus } from '../../protocol/messages/campaign.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { IspMet } from '../world/behaviours-met.ts'
import type { DemoRecipient } from '../world/demo-list.ts'
import type { Plant } from '../world/plant.ts'
import type { Arrival } from '../world/record.ts'
import type { Summary } from '../world/summary.ts'
import type { Verdict } from '../world/verdict.ts'
import type { DemoCampaign } from './campaigns.ts'
import { metOf, type Progress } from './progress.ts'
import { type Paint, urgentLine } from './screen.ts'
import { number, seconds, table } from './table.ts'

export interface Reckoning {
  readonly campaigns: readonly DemoCampaign[]
  readonly statuses: readonly CampaignStatus[]
  readonly verdict: Verdict
  readonly record: Summary
  readonly isps: readonly IspMet[]
  readonly progress: Progress
  /** delivered, but the peer never answered the last dot */
  readonly unconfirmed: readonly Unconfirmed[]
  readonly plant: Plant | null
  /** from the first publish to the last recipient's end */
  readonly tookMs: number
}

export interface Unconfirmed {
  readonly campaign: string
  readonly recipient: DemoRecipient
  readonly arrivals: readonly Arrival[]
}

/** Why the demo has failed; empty = every recipient of the published list is accounted for. */
export function failures({ campaigns, statuses, verdict, plant, progress, unconfirmed, isps }: Reckoning): string[] {
  const said: string[] = []
  for (const { rcpt, campaigns: of, design } of verdict.lostSamples)
    said.push(
      `lost: ${rcpt} of ${of.join(', ')} is not at the far end (${design}); Hato says: ${of.map((id) => wordsOf(progress.ends.get(id)?.get(rcpt))).join(', ')}`,
    )
  for (const { rcpt, count, messageId } of verdict.doubledSamples) said.push(`doubled: ${rcpt} lies there ${count} times (${messageId})`)
  for (const { rcpt } of verdict.unpublishedSamples) said.push(`unpublished: ${rcpt} has a mail that no campaign asked for`)
  for (const { campaign, recipient } of unconfirmed) {
    if (!maySaveTheReply(recipient, isps)) said.push(`${campaign}: ${recipient.address} is unconfirmed, although ${recipient.isp} answers every dot`)
  }
  if (plant !== null && said.length > 0) said.push(`that was planted on purpose: --plant ${plant}`)
  if (plant !== null && said.length === 0) said.push(`--plant ${plant} was not noticed`)
  for (const { id, recipients } of campaigns) {
    const untold = recipients.filter(({ address }) => !progress.ends.get(id)?.has(address))
    if (untold.length > 0)
      said.push(
        `${id}: the journal tells no end of ${untold.length} recipients: ${untold
          .slice(0, 5)
          .map(({ address }) => address)
          .join(', ')}`,
      )
    const status = statuses.find((one) => one.id === id)
    if (status === undefined) said.push(`${id}: campaign.status does not answer`)
    else said.push(...statusFailures(status, recipients.length))
  }
  return said
}

/** Does this recipient's ISP, or his own address, cut the line in the body or keep silent after it? */
function maySaveTheReply({ isp, design }: DemoRecipient, isps: readonly IspMet[]): boolean {
  const behaviours = isps.find((one) => one.isp === isp)?.behaviours ?? []
  return design.why === 'drop' || design.why === 'silent' || behaviours.some(({ name }) => name === 'drop-in-data' || name === 'silence-after-dot')
}

function wordsOf(end: Outcome | undefined): string {
  return end === undefined ? 'nothing yet' : `${end.outcome} ${end.code ?? ''} ${end.reply ?? end.class}`.replaceAll(/ +/g, ' ')
}

function statusFailures(status: CampaignStatus, published: number): string[] {
  const wrong = [
    status.state === 'finished' ? null : `is ${status.state}, not finished`,
    status.recipients === published ? null : `has ${status.recipients} recipients, ${published} were published`,
    status.waiting === 0
      ? null
      : `${status.waiting} still wait (${status.waitingFor.map(({ site, count, because }) => `${site}: ${count} ${because}`).join(', ')})`,
    status.expired === 0 ? null : `${status.expired} expired`,
    status.delivered + status.bounced + status.suppressed + status.cancelled + status.expired + status.waiting === status.recipients
      ? null
      : 'its counts do not add up',
  ]
  return wrong.filter((one) => one !== null).map((one) => `${status.id}: ${one}`)
}

/** The summary: a line per ISP, what it showed, and what nobody met. */
export function summaryLines(reckoning: Reckoning, paint: Paint): string[] {
  const { statuses, progress, isps, tookMs } = reckoning
  const unmet = isps.flatMap(({ isp, behaviours }) =>
    behaviours.filter(({ met, provokedBy }) => met === 0 && provokedBy !== 'excess').map(({ name }) => `${isp} ${name}`),
  )
  const { met, all } = metOf(isps)
  return [
    '',
    ...ispTable(reckoning, paint),
    '',
    paint.dim(`Behaviours: name×times. In brackets: limits of that ISP which Hato kept, so that nobody met them.`),
    unmet.length === 0 ? `Every behaviour of every ISP was met: ${met} of ${all}.` : `Not met this time: ${unmet.join(', ')} (${met} of ${all}).`,
    '',
    ...statuses.map(statusLine),
    ...unconfirmedLine(reckoning),
    `${urgentLine(progress)} (the bulk took ${seconds(tookMs)})`,
  ]
}

function ispTable({ isps, progress, record }: Reckoning, paint: Paint): string[] {
  const columns = [
    { title: 'ISP', align: 'left' },
    { title: 'mails', align: 'right' },
    { title: 'delivered', align: 'right' },
    { title: 'refused', align: 'right' },
    { title: 'put off', align: 'right' },
    { title: 'connects', align: 'right' },
    { title: 'sess/IP', align: 'right' },
    { title: 'behaviours', align: 'left' },
  ] as const
  const rows = isps.map(({ isp, behaviours, words }) => {
    const counts = progress.isps.get(isp)
    const sources = Object.values(record.isps[isp]?.sources ?? {})
    const shown = behaviours.filter(({ met }) => met > 0).map(({ name, met }) => `${name}×${met}`)
    const kept = behaviours.filter(({ met, provokedBy }) => met === 0 && provokedBy === 'excess').map(({ name }) => name)
    return [
      isp,
      ...[counts?.mails ?? 0, counts?.delivered ?? 0, counts?.refused ?? 0, counts?.deferrals ?? 0].map(number),
      number(sources.reduce((sum, { connects }) => sum + connects, 0)),
      number(Math.max(0, ...sources.map(({ maxOpen }) => maxOpen))),
      [...shown, ...(words > 0 ? [`words×${words}`] : []), ...(kept.length > 0 ? [`[${kept.join(' ')}]`] : [])].join(' '),
    ]
  })
  const [title = '', ...lines] = table(columns, rows)
  return [paint.bold(title), ...lines]
}

function unconfirmedLine({ unconfirmed }: Reckoning): string[] {
  if (unconfirmed.length === 0) return []
  const there = unconfirmed.filter(({ arrivals }) => arrivals.length > 0).length
  return [
    `${unconfirmed.length} last dots got no reply, since the ISP cut the line or kept silent: ${there} of these mails are at the far end; a newsletter is not sent twice for it`,
  ]
}

function statusLine(status: CampaignStatus): string {
  const { id, state, recipients, delivered, unconfirmed, bounced, suppressed, expired, waiting, mayBeDuplicate } = status
  const parts = [
    `${number(recipients)} recipients`,
    `${number(delivered)} delivered${unconfirmed > 0 ? ` (${unconfirmed} without a last reply)` : ''}`,
    `${number(bounced)} bounced`,
    ...(suppressed > 0 ? [`${number(suppressed)} suppressed`] : []),
    `${number(expired)} expired`,
    `${number(waiting)} waiting`,
    ...(mayBeDuplicate > 0 ? [`${mayBeDuplicate} may be duplicates`] : []),
  ]
  return `${id}: ${state}; ${parts.join(', ')}`
}

/** The last line. */
export function closingLine({ verdict, campaigns }: Pick<Reckoning, 'verdict' | 'campaigns'>): string {
  const published = campaigns.reduce((sum, { recipients }) => sum + recipients.length, 0)
  return `published ${number(published)}, at the far end ${number(verdict.delivered)} of ${number(verdict.expected)}, not deliverable by design ${number(verdict.notDeliverableByDesign)}: lost ${verdict.lost} doubled ${verdict.doubled}`
}
