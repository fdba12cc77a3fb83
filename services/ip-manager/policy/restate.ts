import { type Manager, poolKey } from '../state.ts'
import { poolRestOf, QUIET_POOL } from './pool.ts'
import type { Say } from './says.ts'
import { lendsIn } from './settle.ts'

/**
 * What a new owner tells routers and senders: every IP, and every pair that has lately stopped or resumed. Its predecessor may have died with
 * the word on its lips, and a source whose resuming nobody heard would be held back for ever.
 */
export function restate(manager: Manager): Say[] {
  const says: Say[] = []
  for (const { address, pool } of manager.fleet.ips.values()) {
    const ip = manager.ips.get(address)
    if (ip === undefined) continue
    const { mode, because, until } = ip.state
    says.push({ say: 'changed', ip: address, site: null, lends: mode === 'serving', because: because ?? mode, until })
    for (const { site, source } of ip.pairs.values()) {
      const rest = poolRestOf(manager.pools.get(poolKey(pool, site)) ?? QUIET_POOL, manager.now)
      if (!lendsIn(source.mode)) says.push({ say: 'changed', ip: address, site, lends: false, because: source.because ?? source.mode, until: source.until })
      else if (rest !== null) says.push({ say: 'changed', ip: address, site, lends: false, ...rest })
      else if (source.mode === 'recovering') says.push({ say: 'changed', ip: address, site, lends: true, because: source.because ?? source.mode, until: null })
    }
  }
  return says
}
