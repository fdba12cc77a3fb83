import { X509Certificate } from 'node:crypto'
import type { z } from 'zod'
import type { Problem } from '../../../protocol/campaign.ts'
import { DnsblConfig } from '../../../protocol/dnsbl-config.ts'
import { Fleet, type FleetIp, type FleetIsp, type FleetTenant } from '../../../protocol/fleet.ts'
import { mergeProviders } from '../../../protocol/providers/merge.ts'
import { BUILT_IN_PROVIDERS } from '../../../protocol/providers/table.ts'
import { compileRules } from '../../../protocol/replies/compile.ts'
import { RetryConfig } from '../../../protocol/retry-config.ts'
import { SuppressionConfig } from '../../../protocol/suppression-config.ts'
import { type DkimRow, loadDkimKeys } from '../../content/dkim-keys.ts'
import { fleetWarnings } from './fleet-warnings.ts'
import { shapeProblems, type Suggest } from './fleet-shape.ts'
import { WarmupConfig } from '../../../protocol/warmup-config.ts'
import { canonicalIp, isDnsServer, isHostName, isMailDomain, isProxy } from './names.ts'

export type FleetVerdict =
  | { readonly kind: 'good'; readonly fleet: Fleet; readonly warnings: readonly Problem[] }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

type DkimEntry = Fleet['dkim'][number]
type Row<T> = { readonly at: number; readonly row: T }

/**
 * May this document be the fleet's? All problems come at once: a row that has its shape is judged in depth although another row has not.
 * `document` is what JSON gave; DKIM keys stand in it as PEM text.
 */
export function checkFleet(document: unknown, suggest: Suggest): FleetVerdict {
  const text = durationsAsText(document)
  const read = Fleet.safeParse(text)
  const raw = isRecord(text) ? text : {}
  const dkim = readable<DkimEntry>(raw.dkim, Fleet.shape.dkim.unwrap().element)
  const keys = checkKeys(dkim)
  const problems = [
    ...(read.success ? [] : shapeProblems(read.error.issues, suggest)),
    ...checkNetwork(raw.network),
    ...readable<FleetTenant>(raw.tenant, Fleet.shape.tenant.unwrap().element).flatMap(checkTenant),
    ...checkIps(readable<FleetIp>(raw.ip, Fleet.shape.ip.unwrap().element)),
    ...keys.problems,
    ...checkIsps(raw.isp),
    ...(Array.isArray(raw.rule) ? checkRules(raw.rule, raw.isp, suggest) : []),
    ...(Array.isArray(raw.dnsbl) ? raw.dnsbl.flatMap((row: unknown, at) => checkTable(DnsblConfig, `dnsbl[${at}]`, row, suggest)) : []),
    ...checkRoots(raw.tls),
    ...checkTable(RetryConfig, 'retry', raw.retry, suggest),
    ...checkTable(SuppressionConfig, 'suppression', raw.suppression, suggest),
    ...checkTable(WarmupConfig, 'warmup', raw.warmup, suggest),
  ]
  if (!read.success || problems.length > 0) return { kind: 'bad', problems: inOrder(problems) }
  return { kind: 'good', fleet: read.data, warnings: [...keys.warnings, ...fleetWarnings(read.data)] }
}

/** Fields of `[[isp]]` that are durations: text in a file, milliseconds once read. */
export const ISP_DURATIONS = ['idle', 'busy_rest', 'source_rest'] as const

/** A program that read the file by the same schema sends milliseconds. */
function durationsAsText(document: unknown): unknown {
  if (!isRecord(document) || !Array.isArray(document.isp)) return document
  const asText = ([field, value]: [string, unknown]) => [
    field,
    (ISP_DURATIONS as readonly string[]).includes(field) && typeof value === 'number' ? `${value}ms` : value,
  ]
  return { ...document, isp: document.isp.map((row: unknown) => (isRecord(row) ? Object.fromEntries(Object.entries(row).map(asText)) : row)) }
}

/** The rows that have their shape, with their places; a key too many is a problem of its own and hides no other. */
function readable<T>(rows: unknown, schema: z.ZodType): Row<T>[] {
  if (!Array.isArray(rows)) return []
  return rows.flatMap((row, at) => {
    const read = schema.safeParse(row)
    if (read.success) return [{ at, row: read.data as T }]
    const unknown = new Set(read.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [])))
    if (unknown.size === 0) return []
    const again = schema.safeParse(Object.fromEntries(Object.entries(row).filter(([key]) => !unknown.has(key))))
    return again.success ? [{ at, row: again.data as T }] : []
  })
}

function checkNetwork(network: unknown): Problem[] {
  const dns = isRecord(network) && Array.isArray(network.dns) ? network.dns : []
  return dns.flatMap((server: unknown, at) =>
    typeof server === 'string' && !isDnsServer(server)
      ? [{ path: `network.dns[${at}]`, message: `"${server}" is not an address with or without a port, such as 127.0.0.1:53 or [::1]:53` }]
      : [],
  )
}

function checkTenant({ at, row }: Row<FleetTenant>): Problem[] {
  const wrong = (path: string, domain: string): Problem => ({ path: `tenant[${at}].${path}`, message: `"${domain}" is not a domain` })
  return [
    ...row.domains.flatMap((domain, n) => (isMailDomain(domain) ? [] : [wrong(`domains[${n}]`, domain)])),
    ...(isMailDomain(row.return_path) ? [] : [wrong('return_path', row.return_path)]),
  ]
}

function checkIps(rows: readonly Row<FleetIp>[]): Problem[] {
  return rows.flatMap(({ at, row }) => {
    const problems: Problem[] = []
    const complain = (field: string, message: string) => problems.push({ path: `ip[${at}].${field}`, message })
    const plain = canonicalIp(row.address)
    if (plain === null) complain('address', `"${row.address}" is not an IP address`)
    // Subjects, outcomes and events name it by its text, so it has one.
    else if (plain !== row.address) complain('address', `write "${row.address}" as ${plain} (RFC 5952)`)
    if (row.bind !== undefined && canonicalIp(row.bind) === null) complain('bind', `"${row.bind}" is not an IP address`)
    if (!isHostName(row.ehlo)) complain('ehlo', `"${row.ehlo}" is not a full host name (RFC 5321 2.3.5)`)
    if (row.egress.includes('://') && !isProxy(row.egress)) complain('egress', 'must be socks5://[user:pass@]host:port or haproxy://host:port')
    return problems
  })
}

function checkKeys(rows: readonly Row<DkimEntry>[]): { problems: readonly Problem[]; warnings: readonly Problem[] } {
  const loaded = loadDkimKeys(rows.map(({ row }) => dkimRow(row)))
  const placed = ({ path, message }: Problem): Problem => ({ path: path.replace(/\d+/, (n) => String(rows[Number(n)]?.at ?? n)), message })
  const dates = rows.flatMap(({ at, row }) =>
    row.from !== undefined && row.until !== undefined && row.from >= row.until
      ? [{ path: `dkim[${at}].until`, message: `${row.until} is not after from = ${row.from}` }]
      : [],
  )
  return { problems: [...loaded.problems.map(placed), ...dates], warnings: loaded.warnings.map(placed) }
}

function dkimRow({ domain, selector, key, tenants }: DkimEntry): DkimRow {
  return { domain, selector, pem: key, tenants }
}

/** Every certificate of `[tls] ca` can be read: a sender that met one that cannot would trust none of them. */
function checkRoots(tls: unknown): Problem[] {
  if (!isRecord(tls) || typeof tls.ca !== 'string') return []
  const certificates = tls.ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const bad = certificates.findIndex((pem) => !isCertificate(pem))
  if (certificates.length > 0 && bad < 0) return []
  return [
    { path: 'tls.ca', message: certificates.length === 0 ? 'holds no certificate (PEM text, or in a file its path)' : `certificate ${bad + 1} cannot be read` },
  ]
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false // OpenSSL's many words for "this is none"
  }
}

/** Rows name each other, so they are judged together once every one has its shape. */
function checkIsps(isp: unknown): readonly Problem[] {
  const read = Fleet.shape.isp.safeParse(isp)
  return read.success ? mergeProviders(BUILT_IN_PROVIDERS, read.data as readonly FleetIsp[]).problems : []
}

/** Each row by itself, rows that an earlier one hides, and providers that nobody knows: a row for a misspelt one would never fire. */
function checkRules(rows: readonly unknown[], isp: unknown, suggest: Suggest): Problem[] {
  const own = Array.isArray(isp) ? isp.flatMap((row: unknown) => (isRecord(row) && typeof row.name === 'string' ? [row.name] : [])) : []
  const known = [...BUILT_IN_PROVIDERS.rows.map(({ name }) => name), ...own]
  const { problems } = compileRules(rows)
  const unknown = rows.flatMap((row, at) => {
    const providers = isRecord(row) && Array.isArray(row.providers) ? row.providers : []
    return providers.flatMap((name: unknown, n): Problem[] => {
      if (typeof name !== 'string' || known.includes(name)) return []
      const meant = suggest(name, known)
      return [{ path: `rule[${at}].providers[${n}]`, message: `no provider is called "${name}"${meant === null ? '' : `, did you mean ${meant}?`}` }]
    })
  })
  return [...problems, ...unknown]
}

function checkTable(schema: z.ZodType, name: string, table: unknown, suggest: Suggest): Problem[] {
  const read = schema.safeParse(table ?? {})
  return read.success ? [] : shapeProblems(read.error.issues, suggest, schema, [name])
}

/** By place in the document, each once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems
    .filter(({ path, message }) => {
      const key = `${path}\0${message}`
      return !seen.has(key) && seen.add(key)
    })
    .sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
