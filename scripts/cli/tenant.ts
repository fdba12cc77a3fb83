import type { Fleet } from '../../protocol/fleet.ts'
import { subject } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { ask } from './ask.ts'
import { Failure } from './failure.ts'

/** As `fleet.get` answers: keys and passwords are masked. */
export interface FleetAnswer {
  readonly revision: number
  readonly appliedAt: string
  readonly fleet: Fleet
}

export function fleetInForce(bus: Bus): Promise<FleetAnswer> {
  return ask<FleetAnswer>(bus, { subject: subject('fleetGet', {}), who: 'ip-manager' })
}

/** The one tenant whose domain the campaign's From is in; where that is nobody or several, a person has to say. */
export async function tenantFor(bus: Bus, campaign: Readonly<Record<string, unknown>>): Promise<string> {
  const { fleet } = await fleetInForce(bus)
  return chooseTenant(fleet, (campaign.from as { readonly address?: unknown } | undefined)?.address)
}

export function chooseTenant(fleet: Pick<Fleet, 'tenant'>, from: unknown): string {
  const domain = typeof from === 'string' ? from.slice(from.lastIndexOf('@') + 1).toLowerCase() : ''
  const owners = fleet.tenant.filter(({ domains }) => domains.some((own) => domain === own.toLowerCase() || domain.endsWith(`.${own.toLowerCase()}`)))
  const [only] = owners.length > 0 ? owners : fleet.tenant
  if (only && (owners.length === 1 || fleet.tenant.length === 1)) return only.name
  const names = (owners.length > 1 ? owners : fleet.tenant).map(({ name }) => name).join(', ')
  const why =
    owners.length > 1 ? `${domain} is a domain of several tenants` : domain === '' ? 'the campaign has no from.address' : `${domain} is no tenant's domain`
  throw new Failure(
    'usage',
    fleet.tenant.length === 0 ? 'the fleet has no tenants; hato apply FLEET gives it some' : `${why}, so say whose campaign it is: --tenant, one of ${names}`,
  )
}
