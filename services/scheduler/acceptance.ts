import { addressProblem, isRoleAddress, parseAddress } from '../../protocol/addresses.ts'
import { Campaign, LIMITS, type Problem, problemsOf, Recipient } from '../../protocol/campaign.ts'
import { formatDuration } from '../../protocol/duration.ts'
import { type Fleet, poolsOf } from '../../protocol/fleet.ts'
import type { EpochMs, Kind, Lane } from '../../protocol/words.ts'
import { checkContent } from '../content/check.ts'
import { isZone } from './policy/window.ts'

/** What is known at the door besides the job itself. */
export interface Circumstances {
  readonly tenant: string
  readonly fleet: Fleet
  /** when the stream took the job */
  readonly publishedAt: EpochMs
  /** octets of the objects the job names (list, attachments); an object that is missing here does not exist */
  readonly objects: ReadonlyMap<string, number>
}

export interface Accepted {
  readonly kind: 'accepted'
  readonly campaign: Campaign
  readonly recipients: readonly Recipient[]
  readonly lane: Lane
  readonly pool: string
  readonly dedupe: 'address' | 'ref' | 'none'
  readonly startAt: EpochMs
  readonly deadline: EpochMs
}
export type Judged = Accepted | { readonly kind: 'rejected'; readonly id: string | null; readonly problems: readonly Problem[] }

/** How long a mail may wait, by kind (delivery.md §1). */
const LIFE_MS: Record<Kind, number> = { marketing: 24 * 3_600_000, notice: 72 * 3_600_000, transactional: 3_600_000 }

/** Every problem of a job at once; nothing is queued when there is one. */
export function judgeJob(body: unknown, at: Circumstances): Judged {
  const read = Campaign.safeParse(body)
  if (!read.success)
    return {
      kind: 'rejected',
      id: idOf(body),
      problems: [...problemsOf(read.error), ...recipientProblems((body as { recipients?: unknown })?.recipients).problems],
    }
  const campaign = read.data
  const { kind } = campaign
  const tenant = at.fleet.tenant.find(({ name }) => name === at.tenant)
  if (!tenant) return { kind: 'rejected', id: campaign.id, problems: [{ path: '', message: `tenant "${at.tenant}" is not in the fleet document` }] }

  const { recipients, problems } = recipientProblems(campaign.recipients, kind)
  const startAt = campaign.sendAt === undefined ? at.publishedAt : Date.parse(campaign.sendAt)
  const pool = poolFor(campaign, at)
  problems.push(
    ...listProblems(campaign, at),
    ...timeProblems(campaign, startAt, at.publishedAt),
    ...('problem' in pool ? [pool.problem] : []),
    ...checkContent(campaign, { kind, domains: tenant.domains, objectSizes: at.objects, sample: recipients.slice(0, 20) }),
  )
  if (kind === 'marketing' && campaign.list === undefined && !problems.some(({ path }) => path.startsWith('list'))) {
    problems.push({ path: 'list', message: 'marketing names the list its recipients are on' })
  }
  const count = campaign.recipients?.length ?? 0
  const urgentMax = tenant.urgent_max ?? LIMITS.urgentRecipients
  if (kind === 'transactional' && (count > urgentMax || campaign.recipientsObject !== undefined)) {
    problems.push({
      path: 'recipients',
      message: `a transactional campaign has at most ${urgentMax} recipients (urgent_max of tenant ${at.tenant}) in the message itself; send ${count} as a notice`,
    })
  }
  if (problems.length > 0 || 'problem' in pool) return { kind: 'rejected', id: campaign.id, problems }
  return {
    kind: 'accepted',
    campaign,
    recipients,
    lane: kind === 'transactional' ? 'urgent' : 'bulk',
    pool: pool.name,
    dedupe: campaign.dedupe ?? (kind === 'marketing' ? 'address' : 'ref'),
    startAt: Math.max(startAt, at.publishedAt),
    deadline: Math.max(startAt, at.publishedAt) + (campaign.expiresAfter ?? LIFE_MS[kind]),
  }
}

/** One recipient of a job or list, read strictly; the reason when it is unusable. */
export function readRecipient(value: unknown, kind?: Kind): { recipient: Recipient } | { problems: Problem[] } {
  const read = Recipient.safeParse(value)
  if (!read.success) return { problems: problemsOf(read.error) }
  const wrong = addressProblem(read.data.address)
  if (wrong !== null) return { problems: [{ path: 'address', message: `"${read.data.address}" is not an address: ${wrong}` }] }
  if (kind === 'marketing') {
    const parsed = parseAddress(read.data.address)
    if (parsed && isRoleAddress(parsed))
      return { problems: [{ path: 'address', message: `"${read.data.address}" is a role address; marketing is for persons who asked for it` }] }
  }
  return { recipient: read.data }
}

function recipientProblems(values: unknown, kind?: Kind): { recipients: Recipient[]; problems: Problem[] } {
  const recipients: Recipient[] = []
  const problems: Problem[] = []
  if (!Array.isArray(values)) return { recipients, problems }
  for (const [at, value] of values.entries()) {
    const read = readRecipient(value, kind)
    if ('recipient' in read) recipients.push(read.recipient)
    else for (const { path, message } of read.problems) problems.push({ path: `recipients[${at}]${path ? `.${path}` : ''}`, message })
  }
  return { recipients, problems }
}

function listProblems(campaign: Campaign, { objects }: Circumstances): Problem[] {
  const { recipients, recipientsObject } = campaign
  if (recipients !== undefined && recipientsObject !== undefined) return [{ path: 'recipientsObject', message: 'give either recipients or recipientsObject' }]
  if (recipientsObject !== undefined) {
    const size = objects.get(recipientsObject)
    if (size === undefined)
      return [{ path: 'recipientsObject', message: `there is no object "${recipientsObject}" in the object store; put the list there first` }]
    return size === 0 ? [{ path: 'recipientsObject', message: `the list "${recipientsObject}" is empty` }] : []
  }
  return recipients === undefined || recipients.length === 0 ? [{ path: 'recipients', message: 'there is nobody to send to: the list is empty' }] : []
}

function timeProblems(campaign: Campaign, startAt: EpochMs, publishedAt: EpochMs): Problem[] {
  const problems: Problem[] = []
  if (startAt < publishedAt - LIMITS.sendAtGraceMs) {
    problems.push({
      path: 'sendAt',
      message: `${campaign.sendAt} was ${formatDuration(Math.round((publishedAt - startAt) / 1_000) * 1_000)} before the publish; leave it out to send now`,
    })
  }
  if ((campaign.expiresAfter ?? 0) > LIMITS.expiresAfterMs)
    problems.push({ path: 'expiresAfter', message: `is longer than ${formatDuration(LIMITS.expiresAfterMs)}` })
  if (campaign.expiresAfter !== undefined && campaign.expiresAfter <= 0) problems.push({ path: 'expiresAfter', message: 'is no time at all' })
  if (campaign.window && !isZone(campaign.window.tz))
    problems.push({ path: 'window.tz', message: `"${campaign.window.tz}" is not a time zone such as Asia/Tokyo` })
  if (campaign.window && campaign.kind === 'transactional') problems.push({ path: 'window', message: 'transactional mail does not wait for the morning' })
  return problems
}

/** The named pool, or the tenant's first: dedicated before shared, shared by tier. */
function poolFor(campaign: Campaign, { fleet, tenant }: Circumstances): { name: string } | { problem: Problem } {
  const usable = poolsOf(fleet, tenant)
  const names = usable.map(({ name }) => name).join(', ') || 'none'
  const fit = usable.filter(({ kinds }) => kinds === undefined || kinds.includes(campaign.kind))
  const named = campaign.pool === undefined ? (fit[0] ?? usable[0]) : fleet.pool.find((pool) => pool.name === campaign.pool)
  if (!named)
    return {
      problem: {
        path: 'pool',
        message:
          campaign.pool === undefined
            ? `tenant "${tenant}" has no pool to send from`
            : `there is no pool "${campaign.pool}"; tenant "${tenant}" may use ${names}`,
      },
    }
  if (!usable.includes(named)) return { problem: { path: 'pool', message: `pool "${named.name}" is not for tenant "${tenant}", which may use ${names}` } }
  if (named.kinds && !named.kinds.includes(campaign.kind))
    return { problem: { path: 'pool', message: `pool "${named.name}" carries ${named.kinds.join(', ')}, not ${campaign.kind}` } }
  if (!fleet.ip.some((ip) => ip.pool === named.name)) return { problem: { path: 'pool', message: `pool "${named.name}" has no IP` } }
  return { name: named.name }
}

function idOf(body: unknown): string | null {
  const id = (body as { id?: unknown } | null)?.id
  return typeof id === 'string' ? id : null
}
