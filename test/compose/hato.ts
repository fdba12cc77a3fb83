/** The cluster as a program of somebody else's sees it: a bare NATS client, and the far end's HTTP door. */
import { connect, type NatsConnection } from 'nats'
import type { CampaignEvent, CampaignStatus } from '../../protocol/messages/campaign.ts'
import type { IspStatus } from '../../protocol/messages/ops.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Verdict } from '../../scripts/world/verdict.ts'
import type { TestCampaign } from './campaign.ts'
import { type Carriers, watchCarriers } from './carriers.ts'
import { openListeners } from './until.ts'

export interface Hato extends AsyncDisposable {
  readonly carriers: Carriers
  /** Throws when the publish is not acknowledged. */
  publish(campaign: TestCampaign): Promise<void>
  isRunning(campaign: TestCampaign): boolean
  /** Rejects at once when the campaign was rejected. */
  untilFinished(campaign: TestCampaign, withinMs: number): Promise<void>
  status(campaign: TestCampaign): Promise<CampaignStatus>
}

const ANSWER_WITHIN_MS = 30_000

/** Listens from now on, so it comes before the first publish. */
export async function connectHato(url: string): Promise<Hato> {
  const nats = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  const carriers = watchCarriers(nats)
  const last = watchEvents(nats)
  const ask = async <T>(on: string, body: object): Promise<T> => (await nats.request(on, JSON.stringify(body), { timeout: ANSWER_WITHIN_MS })).json<T>()
  const status: Hato['status'] = ({ tenant, body }) => ask(subject('campaignStatus', { tenant, id: body.id }), {})
  const busySites = async () => (await ask<IspStatus>(subject('ispStatus', {}), {})).sites.filter(({ waiting }) => waiting.urgent + waiting.bulk > 0)
  return {
    carriers,
    status,
    async publish({ tenant, body }) {
      const ack = await ask<{ readonly seq?: number }>(subject('campaignJob', { tenant }), body)
      if (ack.seq === undefined) throw new Error(`the publish was answered by ${JSON.stringify(ack)}`)
    },
    isRunning: ({ body }) => last.of(body.id) !== 'finished',
    async untilFinished(campaign, withinMs) {
      try {
        await last.untilFinished(campaign.body.id, withinMs)
      } catch (error) {
        throw new Error(
          `${error instanceof Error ? error.message : error}; its status: ${JSON.stringify(await status(campaign))}\n${JSON.stringify(await busySites())}`,
        )
      }
    },
    [Symbol.asyncDispose]: () => nats.close(),
  }
}

function watchEvents(nats: NatsConnection) {
  const last = new Map<string, CampaignEvent>()
  const { ask, until } = openListeners()
  nats.subscribe(wildcard('campaignEvent'), {
    callback: (_, msg) => {
      const event = msg.json<CampaignEvent>()
      last.set(event.id, event)
      ask()
    },
  })
  const of = (id: string) => last.get(id)?.type ?? 'published'
  const isFinished = (id: string) => {
    if (of(id) === 'rejected') throw new Error(`${id} was rejected: ${JSON.stringify(last.get(id)?.problems)}`)
    return of(id) === 'finished'
  }
  return {
    of,
    untilFinished: (id: string, withinMs: number) =>
      until(
        `${id} is finished`,
        () => isFinished(id),
        withinMs,
        () => of(id),
      ),
  }
}

/** The published lists against what lies at the far end, with what outcomes say was delivered. */
export async function verdictOn(worldUrl: string, campaigns: readonly TestCampaign[], carriers: Carriers): Promise<Verdict> {
  const published = campaigns.map(({ body: { id }, addresses }) => ({ campaign: id, addresses, claimed: [...carriers.delivered(id)] }))
  const response = await fetch(`${worldUrl}/verdict`, { method: 'POST', body: JSON.stringify({ published }) })
  if (!response.ok) throw new Error(`the world refused to judge: ${await response.text()}`)
  return (await response.json()) as Verdict
}
