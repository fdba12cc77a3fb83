/** A cluster that nobody asks for anything. */
import { setTimeout as pause } from 'node:timers/promises'
import { startLab } from '../lab.ts'
import { NO_LIMITS, trialFleet } from './fleet.ts'
import { cpuMs, memoryMb, processesOf } from './processes.ts'
import { atMost, type Trial } from './trial.ts'

const SETTLE_MS = 15_000
const WATCHED_MS = 30_000

export const idle: Trial = {
  name: 'idle',
  title: 'A cluster without mail',
  about: `two senders and one each of the others for ${WATCHED_MS / 1_000} s, ${SETTLE_MS / 1_000} s after the start; the supervisor is not in it`,
  async run({ say, signal }) {
    await using lab = await startLab({
      zone: [],
      fleet: (dns) => trialFleet({ dns, smtpPort: 25, ips: 4, isp: { name: 'sink', mx: ['sink.example'], ...NO_LIMITS } }),
      senders: 2,
      signal,
    })
    const processes = processesOf(lab.cluster.state())
    await pause(SETTLE_MS, undefined, { signal }) // a while is what is measured; there is no event to wait for
    const before = await Promise.all(processes.map((one) => cpuMs([one])))
    await pause(WATCHED_MS, undefined, { signal })
    const each = await Promise.all(
      processes.map(async (one, at) => ({
        name: one.name,
        percent: (((await cpuMs([one])) - (before[at] ?? 0)) / WATCHED_MS) * 100,
        mb: (await memoryMb(one)).shared,
      })),
    )
    for (const { name, percent, mb } of each) say(`${name}: ${percent.toFixed(2)} % of a core, ${mb.toFixed(0)} MB`)
    const percent = each.reduce((sum, one) => sum + one.percent, 0)
    const mb = each.reduce((sum, one) => sum + one.mb, 0)
    return [
      { what: 'CPU', found: `${percent.toFixed(2)} % of a core`, asked: atMost(percent, 2, '%') },
      { what: 'memory (PSS)', found: `${mb.toFixed(0)} MB`, asked: atMost(mb, 600, 'MB') },
    ]
  },
}
