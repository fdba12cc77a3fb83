import { rfc3339 } from '../../../protocol/duration.ts'
import type { IspStatus } from '../../../protocol/messages/ops.ts'
import { type Moment, type Pair, type Shard, newSite, type Site } from '../state.ts'
import { actionsOn } from './action-list.ts'
import { automaticActions } from './actions.ts'
import { heldOf } from './drain.ts'
import { gateToTell } from './gates.ts'
import { restsOf } from './waits.ts'
import { paceAllowed, sessionsAllowed } from './window.ts'

type SiteStatus = IspStatus['sites'][number]

/** This shard's part of `isp.status`: the sites with mail, leases, orders of people, or memory of the last ten minutes; or the one asked for. */
export function statusOf(shard: Shard, only: string | null, at: Moment): SiteStatus[] {
  const names = only === null ? new Set([...shard.sites.keys(), ...shard.actions.keys()]) : [only]
  // A site without mail is shown, not remembered.
  return [...names].map((name) => siteStatus(shard, shard.sites.get(name) ?? newSite(name, null, at.mono), at))
}

function siteStatus(shard: Shard, site: Site, at: Moment): SiteStatus {
  const { site: rest } = restsOf(shard, site, at)
  const actions = [...actionsOn(shard, site.site, at.now), ...automaticActions(site, at)]
  return {
    site: site.site,
    owner: shard.router,
    epoch: shard.epoch,
    waiting: { urgent: heldOf(site, 'urgent'), bulk: heldOf(site, 'bulk') },
    ips: [...site.pairs.values()].map((pair) => pairStatus(shard, site, pair, at)),
    resting: rest === null ? null : { because: rest.because, until: rfc3339(rest.until) },
    actions: actions.map(({ id, action, by, until }) => ({ id, action, by, until: rfc3339(until) })),
    lastReplies: site.lastReplies.map((last) => ({ ...last, at: rfc3339(last.at) })),
  }
}

function pairStatus(shard: Shard, site: Site, pair: Pair, at: Moment): SiteStatus['ips'][number] {
  const gate = gateToTell(shard, site, pair, at)
  const row = shard.network.providers.row(site.provider)
  return {
    address: pair.ip,
    mode: pair.allowance?.mode ?? 'steady',
    window: gate.kind === 'go' ? gate.sessions : Math.min(sessionsAllowed(pair.window, at.now), row.sessionsPerIp.max),
    open: [...pair.leases].reduce((sum, lease) => sum + lease.open + lease.lingering, 0),
    pace: gate.kind === 'go' ? gate.pacePerS : Math.min(paceAllowed(pair.window, at.now), row.mailsPerSecond),
    because: gate.kind === 'wait' ? gate.because : null,
  }
}
