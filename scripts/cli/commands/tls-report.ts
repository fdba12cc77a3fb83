import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { OBJECT_BUCKET, tlsReportObject } from '../../../protocol/buckets.ts'
import { type DailyTlsReports, dayOf, reporterOf, tlsReports } from '../../../protocol/tls-report.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { openBucket } from '../../../services/runtime/kv.ts'
import { openObjects } from '../../../services/runtime/objects.ts'
import { countedOn } from '../../../services/runtime/tls-counts.ts'
import type { Command } from '../command.ts'
import { EXIT, Failure } from '../failure.ts'
import { table } from '../table.ts'
import { fleetInForce } from '../tenant.ts'

export const tlsReportCommand: Command = {
  name: 'tls-report',
  positionals: [{ name: 'DAY', optional: true }],
  options: ['json'],
  says: 'how TLS went with the domains that ask for reports (TLS-RPT, RFC 8460)',
  more: 'DAY is UTC, as 2026-11-24; without it today so far. Each morning the day before becomes an object, tls-reports/DAY.json.gz in bucket hato, with a report per domain and where it is wanted. Hato does not send them: mail each one as application/tlsrpt+gzip (RFC 8460 5.3) or post it where "to" says.',
  examples: ['hato tls-report', 'hato tls-report 2026-11-24 --json | jq ".reports[] | .report"'],
  async run(asked, here) {
    const day = asked.positionals[0] ?? dayOf(here.now())
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day))) throw new Failure('usage', `"${day}" is no day such as ${dayOf(here.now())}`)
    const reports = await reportsOf(day, await here.bus())
    if (asked.flags.has('json')) here.screen.out(JSON.stringify(reports))
    else for (const line of lines(reports, here.screen)) here.screen.out(line)
    return EXIT.ok
  },
}

/** The day's object; of a day without one what is counted so far. */
async function reportsOf(day: string, bus: Bus): Promise<DailyTlsReports> {
  const objects = openObjects(bus, OBJECT_BUCKET)
  if ((await objects.head(tlsReportObject(day))) !== null) {
    const pieces: Uint8Array[] = []
    for await (const piece of objects.read(tlsReportObject(day))) pieces.push(piece)
    return JSON.parse((await promisify(gunzip)(Buffer.concat(pieces))).toString()) as DailyTlsReports
  }
  const { fleet } = await fleetInForce(bus)
  return tlsReports(await countedOn(day, openBucket(bus, 'policies')), reporterOf(fleet))
}

function lines({ day, reports }: DailyTlsReports, screen: Parameters<typeof table>[2]): readonly string[] {
  const rows = reports.flatMap(({ report }) => report.policies)
  if (rows.length === 0) return [`no session of ${day} with a domain that asks for TLS reports (_smtp._tls)`]
  return table(
    [
      { title: 'domain', atLeast: 12, cell: ({ policy }) => policy['policy-domain'] },
      { title: 'policy', cell: ({ policy }) => policy['policy-type'] },
      { title: 'good', side: 'right', cell: ({ summary }) => String(summary['total-successful-session-count']) },
      { title: 'failed', side: 'right', cell: ({ summary }) => String(summary['total-failure-session-count']) },
      {
        title: 'why',
        atLeast: 10,
        cell: (row) => [...new Set((row['failure-details'] ?? []).map((one) => `${one['result-type']} at ${one['receiving-mx-hostname']}`))].join(', '),
      },
    ],
    rows,
    screen,
  )
}
