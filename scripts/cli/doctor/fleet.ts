/** Does DNS say what receivers want to see (services/content/preflight.ts)? */
import { KEYS } from '../../../protocol/buckets.ts'
import type { Fleet, FleetRecord } from '../../../protocol/fleet.ts'
import { type DkimKey, dkimRowsOf, loadDkimKeys } from '../../../services/content/dkim-keys.ts'
import { type Finding, fleetChecks, runCheck } from '../../../services/content/preflight.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { lookUpBy } from '../../../services/runtime/dns/look-up.ts'
import { createResolver } from '../../../services/runtime/dns/resolver.ts'
import { openBucket } from '../../../services/runtime/kv.ts'
import { counted } from '../format.ts'
import { bad, type Diagnosis, good, note, warning } from './diagnosis.ts'

/** The document with its keys: `fleet.get` masks them, so it is read where it rests. */
export async function readFleet(bus: Bus): Promise<FleetRecord | null> {
  const kept = await openBucket(bus, 'fleet').get(KEYS.fleet)
  return kept === null ? null : (JSON.parse(new TextDecoder().decode(kept.value)) as FleetRecord)
}

export async function lookAtFleet(record: FleetRecord | null, now: number): Promise<Diagnosis[]> {
  if (record === null) return [bad('there is no fleet document: nobody may send anything; hato apply FLEET')]
  const { fleet } = record
  const head = good(
    `fleet revision ${record.revision}: ${counted(fleet.tenant.length, 'tenant')}, ${counted(fleet.pool.length, 'pool')}, ${counted(fleet.ip.length, 'IP')}, ${counted(fleet.dkim.length, 'DKIM key')}`,
  )
  const { keys, problems, warnings } = loadDkimKeys(dkimRowsOf(fleet))
  const loaded = [...problems.map(({ message }) => bad(message)), ...warnings.map(({ message }) => warning(message))]
  if (fleet.preflight?.off) return [head, ...loaded, note('[preflight] off: what DNS says of the domains and IPs is not looked at')]
  return [head, ...loaded, ...tellFindings(await findings(fleet, keys, now))]
}

async function findings(fleet: Fleet, keys: readonly DkimKey[], now: number): Promise<Finding[]> {
  await using resolver = createResolver({ servers: fleet.network.dns })
  return (await Promise.all(fleetChecks(fleet, keys, now).map((check) => runCheck(check, lookUpBy(resolver))))).flat()
}

const NAMES: Readonly<Record<Finding['about'], string>> = {
  dkim: 'DKIM',
  dmarc: 'DMARC',
  from: 'From domain',
  'return-path': 'return path',
  spf: 'SPF of the return path',
  'header-spf': 'SPF of From',
  ptr: 'PTR and EHLO',
}

/** What is well is one line a kind; what is not is a line each, with what to publish. */
export function tellFindings(all: readonly Finding[]): Diagnosis[] {
  return (Object.keys(NAMES) as Finding['about'][]).flatMap((about) => {
    const found = all.filter((finding) => finding.about === about)
    const well = found.filter(({ verdict }) => verdict === 'good')
    const rest = found.filter(({ verdict }) => verdict !== 'good')
    const [only] = well
    const goods =
      only === undefined
        ? []
        : [
            good(
              `${NAMES[about]}: ${well.length === 1 ? `${only.of}: ${only.message}` : `${wellOf(about, well)} as ${well.length === found.length ? 'they should be' : 'it should be'}`}`,
            ),
          ]
    return [
      ...goods,
      ...rest.map(
        ({ of, verdict, message, publish }): Diagnosis => ({
          verdict: verdict === 'good' ? 'good' : verdict,
          says: `${NAMES[about]}: ${of}: ${message}`,
          ...(publish && { publish }),
        }),
      ),
    ]
  })
}

function wellOf(about: Finding['about'], well: readonly Finding[]): string {
  const things = about === 'ptr' ? 'IPs' : about === 'dkim' ? 'keys' : 'domains'
  return `${well.length} ${things} ${well.length > 4 ? 'are' : `(${well.map(({ of }) => of.replace('._domainkey.', '/')).join(', ')}) are`}`
}
