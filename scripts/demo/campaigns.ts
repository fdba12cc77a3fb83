/** What the demo publishes: one large marketing campaign, and a small urgent one that comes in the middle of it. */
import { demoRecipients, type DemoRecipient } from '../world/demo-list.ts'
import { DOMAIN, POOLS } from './fleet.ts'

export interface DemoCampaign {
  readonly id: string
  readonly lane: 'bulk' | 'urgent'
  readonly body: object
  readonly recipients: readonly DemoRecipient[]
}

const URGENT = 40
/** Urgent mail goes to ordinary people at these, in turn. */
const URGENT_AT = ['google', 'yahoo', 'outlook', 'docomo', 'orange', 'box-00', 'box-02', 'box-26'] as const

export function demoCampaigns(total: number, seed: number): { readonly bulk: DemoCampaign; readonly urgent: DemoCampaign } {
  // SERVFAIL is nobody's fault and ends only with the deadline: a demo that waits for nobody leaves it out.
  const list = demoRecipients(total - URGENT, seed).filter(({ design }) => design.why !== 'servfail')
  return { bulk: bulk(list), urgent: urgent(list) }
}

function bulk(recipients: readonly DemoRecipient[]): DemoCampaign {
  const body = {
    id: 'spring-2026',
    kind: 'marketing',
    pool: POOLS.marketing,
    list: { id: 'news', name: 'Acme ニュース' },
    from: { name: 'Acme 春のお知らせ', address: `news@${DOMAIN}` },
    replyTo: `help@${DOMAIN}`,
    subject: '{{ name }}様、春の新作です',
    text: '{{ name }}様\n\n桜の季節になりました。Acme の春の新作をご案内します。\nhttps://acme.example/spring\n\n配信停止: https://acme.example/u/{{ token }}\n',
    html: '<p>{{ name }}様</p><p>桜の季節になりました。<a href="https://acme.example/spring">Acme の春の新作</a>をご案内します。</p><p><a href="https://acme.example/u/{{ token }}">配信停止</a></p>',
    unsubscribe: { url: `https://${DOMAIN}/u/{{ token }}`, mailto: `u+{{ token }}@${DOMAIN}` },
    recipients: recipients.map(({ address, name }, at) => ({ address, name, ref: `c-${at}`, vars: { name, token: `t${at.toString(36)}` } })),
  }
  return { id: body.id, lane: 'bulk', body, recipients }
}

function urgent(list: readonly DemoRecipient[]): DemoCampaign {
  const people = new Map(URGENT_AT.map((isp) => [isp as string, list.filter((one) => one.isp === isp && one.design.why === 'plain')]))
  const recipients = Array.from(
    { length: URGENT },
    (_, at) => people.get(URGENT_AT[at % URGENT_AT.length] as string)?.[Math.floor(at / URGENT_AT.length)],
  ).filter((one) => one !== undefined)
  const body = {
    id: 'order-codes',
    kind: 'transactional',
    pool: POOLS.transactional,
    from: { name: 'Acme', address: `orders@${DOMAIN}` },
    subject: '確認コード {{ code }}',
    text: '{{ name }}様\n\n確認コードは {{ code }} です。10分以内にご入力ください。\n',
    recipients: recipients.map(({ address, name }, at) => ({ address, name, ref: `o-${at}`, vars: { name, code: String(100_000 + at * 7_919) } })),
  }
  return { id: body.id, lane: 'urgent', body, recipients }
}
