import { rfc3339 } from '../../../protocol/duration.ts'
import type { IspControl } from '../../../protocol/messages/ops.ts'
import type { EpochMs } from '../../../protocol/words.ts'
import { token } from '../../../protocol/tokens.ts'
import type { Action, Moment, Pair, Shard, Site } from '../state.ts'
import { actionsOn } from './action-list.ts'
import { memoryOf } from './memory.ts'
import type { Say } from './messages.ts'
import { clearRest, restOf } from './window.ts'

/** A person's word on a site: answered when it is durable. Times are RFC 3339; an unknown id is an error, so that nobody believes to have cancelled something. */
export function obeyControl(shard: Shard, site: string, control: IspControl, at: Moment): Say[] {
  const { action, by, id } = control
  switch (action) {
    case 'pause':
      return add(shard, site, actionOf(control, 'pause', at), at)
    case 'limit':
      if (control.sessionsPerIp === undefined && control.rate === undefined)
        return refuse('bad-request', `${site}: limit needs sessionsPerIp, rate or both; nothing was changed`)
      return add(shard, site, actionOf(control, 'limit', at), at)
    case 'resume':
      return remove(shard, site, ({ action, id: other }) => action === 'pause' && (id === undefined || other === id), action, by, id, at)
    case 'clear': {
      const rests = clearRests(shard.sites.get(site), id, at)
      return remove(shard, site, ({ id: other }) => id === undefined || other === id, action, by, id, at, rests)
    }
  }
}

function actionOf(control: IspControl, action: Action['action'], at: Moment): Action {
  return {
    id:
      control.id ??
      `${action}-${Math.floor(at.dice() * 36 ** 6)
        .toString(36)
        .padStart(6, '0')}`,
    action,
    by: control.by,
    until: at.now + control.for,
    sessionsPerIp: action === 'limit' ? (control.sessionsPerIp ?? null) : null,
    rate: action === 'limit' ? (control.rate ?? null) : null,
  }
}

/** The same id again replaces what it ordered before. */
function add(shard: Shard, site: string, action: Action, at: Moment): Say[] {
  shard.actions.set(site, [...actionsOn(shard, site, at.now).filter(({ id }) => id !== action.id), action])
  return done(shard, site, action.action, action.by, action.id, action.until, at)
}

function remove(
  shard: Shard,
  site: string,
  goes: (action: Action) => boolean,
  action: string,
  by: string,
  id: string | undefined,
  at: Moment,
  cleared = 0,
): Say[] {
  const standing = actionsOn(shard, site, at.now)
  const kept = standing.filter((action) => !goes(action))
  if (id !== undefined && kept.length === standing.length && cleared === 0) {
    const ids = [...standing, ...automaticActions(shard.sites.get(site), at)].map((action) => action.id)
    return refuse('unknown-action', `${site}: there is no action "${id}" to ${action}; in force ${ids.length === 0 ? 'is none' : `are ${ids.join(', ')}`}`)
  }
  if (kept.length > 0) shard.actions.set(site, [...kept])
  else shard.actions.delete(site)
  return done(shard, site, action, by, id ?? null, null, at)
}

/** Durable first, then the answer. */
function done(shard: Shard, site: string, action: string, by: string, id: string | null, untilMs: EpochMs | null, at: Moment): Say[] {
  const until = untilMs === null ? null : rfc3339(untilMs)
  return [
    { say: 'event', event: { event: 'actionTaken', site, id, action, by, until } },
    { say: 'save', memory: memoryOf(shard, at) },
    { say: 'answerControl', answer: { ok: true, id, until } },
  ]
}

function refuse(code: string, message: string): Say[] {
  return [{ say: 'answerControl', answer: { error: { code, message } } }]
}

/** Rests are actions of the router itself: listed and cancellable like a person's. */
export interface AutomaticAction {
  readonly id: string
  readonly action: 'rest'
  readonly by: string
  readonly until: EpochMs
}

export function automaticActions(site: Site | undefined, at: Moment): readonly AutomaticAction[] {
  if (site === undefined) return []
  const actions: AutomaticAction[] = []
  if (site.rest && site.rest.until > at.now) actions.push({ id: SITE_REST, action: 'rest', by: `router: ${site.rest.because}`, until: site.rest.until })
  for (const pair of site.pairs.values()) {
    const rest = restOf(pair.window, at.now)
    if (rest !== null) actions.push({ id: restId(pair), action: 'rest', by: `router: ${rest.because} at ${pair.ip}`, until: rest.until })
  }
  return actions
}

const SITE_REST = 'rest'

function restId({ ip }: Pair): string {
  return `rest-${token(ip)}`
}

/** How many rests were ended. */
function clearRests(site: Site | undefined, id: string | undefined, at: Moment): number {
  const goes = new Set(
    automaticActions(site, at)
      .map((action) => action.id)
      .filter((other) => id === undefined || other === id),
  )
  if (site === undefined) return 0
  if (goes.has(SITE_REST)) site.rest = null
  for (const pair of site.pairs.values()) if (goes.has(restId(pair))) pair.window = clearRest(pair.window, at.now)
  return goes.size
}

/** Orders whose time is over. */
export function endActions(shard: Shard, at: Moment): Say[] {
  const says: Say[] = []
  for (const [site, actions] of shard.actions) {
    const standing = actionsOn(shard, site, at.now)
    if (standing.length === actions.length) continue
    for (const { id, action, until } of actions) if (until <= at.now) says.push({ say: 'event', event: { event: 'actionOver', site, id, action } })
    if (standing.length > 0) shard.actions.set(site, [...standing])
    else shard.actions.delete(site)
    shard.changed = true
  }
  return says
}
