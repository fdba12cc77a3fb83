/** What `npm run docs` writes, by name: each part of a page derives from the table it speaks of. */
import { BUCKETS, OBJECT_BUCKET, tenantObjectBucket } from '../../protocol/buckets.ts'
import { formatDuration } from '../../protocol/duration.ts'
import type { ProviderRow } from '../../protocol/providers/row.ts'
import { BUILT_IN_PROVIDERS } from '../../protocol/providers/table.ts'
import { STREAMS, type StreamSpec } from '../../protocol/streams.ts'
import { SUBJECTS, type SubjectRow } from '../../protocol/subjects.ts'
import { ROUTER_CONFIG } from '../../services/domain-router/config.ts'
import { IP_MANAGER_CONFIG } from '../../services/ip-manager/config.ts'
import { configMarkdown } from '../../services/runtime/config.ts'
import { COMMON_CONFIG } from '../../services/runtime/lifecycle.ts'
import { SCHEDULER_CONFIG } from '../../services/scheduler/config.ts'
import { SENDER_CONFIG } from '../../services/sender/config.ts'
import { COMMANDS } from '../cli/commands.ts'
import { usage } from '../cli/help.ts'
import { START_CONFIG } from '../start/config.ts'
import { classTable, finalClasses, grantTable, KEY_WORDS, RELEASE_WORDS, SITE_WORDS, SOURCE_WORDS, TRIP_WORDS, wordTable } from './because.ts'
import type { Blocks } from './markers.ts'
import { code, table } from './table.ts'
import { scenarioTable } from './twins.ts'

export const BLOCKS: Blocks = {
  'subjects-public': () => subjects('public'),
  'subjects-internal': () => subjects('internal'),
  streams,
  buckets,
  providers,
  scenarios: scenarioTable,
  'because-release': () => wordTable({ ...RELEASE_WORDS, ...KEY_WORDS, ...TRIP_WORDS }),
  'because-site': () => wordTable(SITE_WORDS),
  'because-source': () => wordTable(SOURCE_WORDS),
  'because-class': classTable,
  'because-final': finalClasses,
  'because-grant': grantTable,
  cli: () =>
    table(
      ['command', 'what it does'],
      COMMANDS.map((command) => [code(usage(command).replace(/^hato/, 'npx hato')), command.says]),
    ),
  'config:start': () => configMarkdown(START_CONFIG),
  'config:every-actor': () => configMarkdown(COMMON_CONFIG),
  'config:scheduler': () => configMarkdown(SCHEDULER_CONFIG),
  'config:domain-router': () => configMarkdown(ROUTER_CONFIG),
  'config:ip-manager': () => configMarkdown(IP_MANAGER_CONFIG),
  'config:sender': () => configMarkdown(SENDER_CONFIG),
}

function subjects(which: 'public' | 'internal'): string {
  const rows: readonly SubjectRow[] = Object.values(SUBJECTS)
  return table(
    ['subject', 'how', 'says', 'hears', 'what'],
    rows
      .filter((row) => (row.public === true) === (which === 'public'))
      .map((row) => [
        code(row.on.replaceAll('>}', '}')),
        row.stream ? `stream ${row.stream}` : row.how,
        row.says.join(', '),
        row.hears.join(', ') || 'the schedule',
        row.what,
      ]),
  )
}

function streams(): string {
  const kept = ({ retention, maxAgeMs, name }: StreamSpec) => {
    if (retention === 'workqueue') return 'until acked or removed'
    return maxAgeMs > 0 ? formatDuration(maxAgeMs) : name === 'JOBS' ? 'until the campaign ends' : 'for good'
  }
  const able = (stream: StreamSpec) => (['atomic', 'schedules', 'rollup'] as const).filter((ability) => stream[ability]).join(', ')
  return table(
    ['stream', 'subjects', 'kept', 'with', 'what'],
    STREAMS.map((stream: StreamSpec) => [stream.name, stream.subjects.map(code).join(' '), kept(stream), able(stream), stream.why]),
  )
}

function buckets(): string {
  return table(
    ['bucket', 'what'],
    [
      ...BUCKETS.map(({ name, why }) => [code(name), why]),
      [`${code(OBJECT_BUCKET)} (objects)`, 'lists, attachments, contents of running campaigns'],
      [
        `${code(tenantObjectBucket('{tenant}'))} (objects)`,
        "what a tenant's own programs put: no other tenant reads or replaces it, and its mail looks here first",
      ],
    ],
  )
}

function providers(): string {
  const row = (one: ProviderRow): string[] => [
    one.name,
    one.mx.join(' '),
    one.per,
    one.sessionsPerIp.start === one.sessionsPerIp.max ? String(one.sessionsPerIp.max) : `${one.sessionsPerIp.start} → ${one.sessionsPerIp.max}`,
    String(one.mailsPerSession),
    one.mailsPerSecond < 1 ? `${Math.round(one.mailsPerSecond * 3_600)} an hour` : String(one.mailsPerSecond),
    one.tls,
    one.unknown,
    one.hourlyStart === null ? '' : String(one.hourlyStart),
    formatDuration(one.rest.busyMs),
    formatDuration(one.rest.sourceMs),
    [...new Set([one.since.sessionsPerIp, one.since.mailsPerSession].map((since) => since?.split(' ')[0] ?? 'tail'))].join(' '),
  ]
  return table(
    ['provider', 'MX below', 'limits per', 'sessions/IP', 'mails/session', 'mails/s·IP', 'TLS', 'unknown user', 'new IP/h', 'site rests', 'IP rests', 'from'],
    [...BUILT_IN_PROVIDERS.rows, BUILT_IN_PROVIDERS.tail].map(row),
  )
}
