import type { Problem } from '../../../protocol/campaign.ts'
import { type Fleet, poolsOf } from '../../../protocol/fleet.ts'

/** What is allowed and probably not meant: said, never refused. */
export function fleetWarnings(fleet: Fleet): Problem[] {
  return [...poolWarnings(fleet), ...tenantWarnings(fleet), ...ipWarnings(fleet), ...daneWarnings(fleet)]
}

function poolWarnings({ pool, ip }: Fleet): Problem[] {
  return pool.flatMap(({ name }, at) =>
    ip.some((one) => one.pool === name) ? [] : [{ path: `pool[${at}]`, message: `pool "${name}" has no IP: its campaigns wait` }],
  )
}

function tenantWarnings({ tenant, pool, dkim }: Fleet): Problem[] {
  const warnings: Problem[] = []
  const owners = new Map<string, string>()
  for (const [at, { name, domains }] of tenant.entries()) {
    if (poolsOf({ tenant, pool }, name).length === 0) warnings.push({ path: `tenant[${at}]`, message: `tenant "${name}" has no pool: it cannot send` })
    for (const [n, domain] of domains.entries()) {
      const path = `tenant[${at}].domains[${n}]`
      const owner = owners.get(domain.toLowerCase())
      if (owner !== undefined && owner !== name) warnings.push({ path, message: `"${domain}" is also tenant ${owner}'s: both may send as it` })
      owners.set(domain.toLowerCase(), name)
      const signed = dkim.some((key) => key.tenants.includes(name) && isAtOrBelow(domain.toLowerCase(), key.domain.toLowerCase()))
      if (!signed) warnings.push({ path, message: `no DKIM key signs for ${domain} and tenant ${name}: its marketing is rejected` })
    }
  }
  return warnings
}

function ipWarnings({ ip }: Fleet): Problem[] {
  return ip.flatMap((row, at) => {
    const bind = row.bind ?? row.address
    const twin = row.egress === 'bind' && ip.findIndex((other) => other.egress === 'bind' && (other.bind ?? other.address) === bind)
    return twin !== false && twin < at
      ? [{ path: `ip[${at}].bind`, message: `${row.address} and ${ip[twin]?.address} leave from the same local address ${bind}` }]
      : []
  })
}

/** The AD bit is an unsigned bit in a UDP packet: it is worth what the way to the resolver is worth (RFC 7672 2.1.1). */
function daneWarnings({ tls, network }: Fleet): Problem[] {
  const near = network.dns?.every((server) => /^(127\.|\[?::1\]?)/.test(server)) ?? false
  return tls.dane && !near
    ? [{ path: 'tls.dane', message: 'believes the AD bit of resolvers on other machines: let [network] dns name a validating resolver on this one' }]
    : []
}

function isAtOrBelow(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`)
}
