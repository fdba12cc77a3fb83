import type { EpochMs } from '../../../protocol/words.ts'
import type { Finding } from '../../content/preflight.ts'
import type { Manager } from '../state.ts'
import type { Say } from './says.ts'

/** What DNS says of an IPv6 address: without a PTR that resolves back it lends nothing. Silence of DNS changes nothing. */
export function hearPtr(manager: Manager, { of: address, verdict, message }: Pick<Finding, 'of' | 'verdict' | 'message'>, now: EpochMs): Say[] {
  if (verdict === 'unknown' || !manager.fleet.ips.has(address)) return []
  manager.now = now
  const lent = !manager.noPtr.has(address)
  const lends = verdict !== 'bad'
  if (lends) manager.noPtr.delete(address)
  else manager.noPtr.set(address, message)
  if (lends === lent) return []
  const serves = (manager.ips.get(address)?.state.mode ?? 'serving') === 'serving'
  return [
    ...(lends ? [] : [{ say: 'trouble' as const, ip: address, because: 'ipv6-no-ptr', detail: message }]),
    ...(serves ? [{ say: 'changed' as const, ip: address, site: null, lends, because: lends ? 'its PTR resolves back' : 'ipv6-no-ptr', until: null }] : []),
  ]
}
