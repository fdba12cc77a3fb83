import { demoRecipients } from '../../scripts/world/demo-list.ts'
import { PROVIDERS } from '../../scripts/world/models/isps.ts'
import type { IspRow } from '../../scripts/world/models/isp.ts'
import type { BehaviourName } from '../../scripts/world/models/names.ts'
import { tail } from '../../scripts/world/models/tail.ts'

export interface TestCampaign {
  readonly tenant: string
  readonly body: { readonly id: string }
  readonly addresses: readonly string[]
}

const TENANT = 'acme'
/** The list is chosen from this many. */
const DRAWN = 12_000
/** Of each ISP, so that no slow one holds up all campaigns: it is about senders here, not about sites. */
const EACH = 80
/** Mails per second: a campaign is to last long enough for something to happen in the middle of it. */
const RATE = 200
/** Hosts that make a careful sender rest for minutes, and hosts that leave it in doubt (delivery without a reply): the demo meets them, here every mail is to arrive once. */
const LEFT_OUT: readonly BehaviourName[] = ['greeting-refused', 'drop-at-connect', 'drop-in-data', 'silence-after-dot']
/** Small hosts that refuse what is too fast: each time the one source cools, and the fifth time in a day it is blocked there, as it should be. */
const LEFT_OUT_OF_TAIL: readonly BehaviourName[] = ['mail-rate', 'connect-rate']

/** A campaign for at most `count` people at the providers and in the tail: those who get their mail, some after greylisting. */
export function campaignFor(id: string, count: number, seed: number): TestCampaign {
  const showing = (rows: readonly IspRow[], names: readonly BehaviourName[]) =>
    rows.filter(({ behaviours }) => behaviours.some(({ name }) => names.includes(name))).map(({ name }) => name)
  const leftOut = new Set([...showing([...PROVIDERS, ...tail()], LEFT_OUT), ...showing(tail(), LEFT_OUT_OF_TAIL)])
  const taken = new Map<string, number>()
  const people = demoRecipients(DRAWN, seed)
    .filter(({ design, isp }) => {
      if (design.why !== 'plain' || leftOut.has(isp)) return false
      taken.set(isp, (taken.get(isp) ?? 0) + 1)
      return (taken.get(isp) ?? 0) <= EACH
    })
    .slice(0, count)
  const body = {
    id,
    kind: 'notice',
    pool: 'acme',
    from: { name: 'Acme', address: 'news@acme.example' },
    subject: '{{ name }}様へのお知らせ',
    text: '{{ name }}様\n\n引っ越しました。\n',
    recipients: people.map(({ address, name }, at) => ({ address, name, ref: `c-${at}`, vars: { name } })),
    rate: RATE,
  }
  return { tenant: TENANT, body, addresses: people.map(({ address }) => address) }
}
