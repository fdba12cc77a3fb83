/** Puts the fleet file into force; waits for ip-manager, which judges it. */
import { readConfig } from '../../services/runtime/config.ts'
import { BadConfig } from '../../services/runtime/errors.ts'
import { applyFleet } from '../start/fleet-apply.ts'
import { readFleetFile } from '../start/fleet-file.ts'
import { APPLY_CONFIG } from './config.ts'
import { connect } from './connect.ts'
import { oneShot } from './one-shot.ts'

const WHAT_TO_DO = `docker compose: HATO_FLEET=./fleet takes your own folder with fleet.toml, readable by user ${process.getuid?.()}; --profile world adds the simulated internet and writes a fleet for it`

await oneShot(async (say, signal) => {
  const config = readConfig(APPLY_CONFIG, process.env)
  const fleet = await readFleetFile(config.fleet).catch((error) => {
    throw error instanceof BadConfig ? new BadConfig(`${error.message}\n${WHAT_TO_DO}`) : error
  })
  await using bus = await connect(config, 'apply', say, signal)
  const { revision } = await applyFleet(bus, fleet, signal)
  say(`fleet revision ${revision} is in force: ${fleet.ip.length} IPs, ${fleet.pool.length} pools, ${fleet.tenant.length} tenants`)
})
