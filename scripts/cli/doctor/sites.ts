/** Which sites rest, why, until when; and what people ordered there. */
import type { IspStatus } from '../../../protocol/messages/ops.ts'
import { SUBJECTS } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { ask } from '../ask.ts'
import { count, counted, until } from '../format.ts'
import { type Diagnosis, firstOf, good, note, warning } from './diagnosis.ts'

const MOST = 20

export async function lookAtSites(bus: Bus, now: number): Promise<Diagnosis[]> {
  return judgeSites(await ask<IspStatus>(bus, { subject: SUBJECTS.ispStatus.on, who: 'domain-router', patienceMs: 0 }), now)
}

export function judgeSites({ sites }: IspStatus, now: number): Diagnosis[] {
  if (sites.length === 0) return [good('no site has mail or memory')]
  const resting = sites.filter((site) => site.resting !== null)
  // Mail that nothing hinders and nobody takes: no lease, no reason.
  const still = sites.filter(
    (site) => site.resting === null && site.waiting.urgent + site.waiting.bulk > 0 && site.ips.length > 0 && site.ips.every(({ because }) => because !== null),
  )
  const ordered = sites.flatMap(({ site, actions }) => actions.filter(({ action }) => action !== 'rest').map((action) => ({ site, action })))
  return [
    good(`${counted(sites.length, 'site')} known, ${count(sites.length - resting.length)} being served`),
    ...(resting.length > 0
      ? [
          warning(
            `${counted(resting.length, 'site rests', 'sites rest')}`,
            firstOf(resting, MOST, ({ site, resting: rest }) => `${site}: ${rest?.because}, until ${until(rest?.until ?? null, now)}`),
          ),
        ]
      : []),
    ...(still.length > 0
      ? [
          warning(
            `${counted(still.length, 'site has', 'sites have')} mail that none of the IPs may take now`,
            firstOf(
              still,
              MOST,
              ({ site, waiting, ips }) =>
                `${site}: ${count(waiting.urgent + waiting.bulk)} waiting; ${[...new Set(ips.map(({ address, because }) => `${address} ${because}`))].slice(0, 3).join(', ')}`,
            ),
          ),
        ]
      : []),
    ...(ordered.length > 0
      ? [
          note(
            `${counted(ordered.length, 'order')} of people in force`,
            firstOf(ordered, MOST, ({ site, action }) => `${site}: ${action.action} ${action.id} by ${action.by}, until ${until(action.until, now)}`),
          ),
        ]
      : []),
  ]
}
