import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { Problem } from '../../protocol/campaign.ts'
import type { Fleet } from '../../protocol/fleet.ts'
import type { EpochMs } from '../../protocol/words.ts'

/** DKIM keys: read and judged when they are loaded, so that no mail leaves unsigned because a key was bad (delivery.md §10). */

/** A `[[dkim]]` row of the fleet file with its key file's text. */
export interface DkimRow {
  readonly domain: string
  readonly selector: string
  readonly pem: string
  readonly tenants: readonly string[]
  /** first and last moment of use, for rotation; null or absent = open */
  readonly from?: EpochMs | null
  readonly until?: EpochMs | null
}

/** `from` and `until` are days: UTC, the last one not included. */
export function dkimRowsOf({ dkim }: Pick<Fleet, 'dkim'>): readonly DkimRow[] {
  const day = (text: string | undefined) => (text === undefined ? null : Date.parse(text))
  return dkim.map(({ domain, selector, key, tenants, from, until }) => ({ domain, selector, pem: key, tenants, from: day(from), until: day(until) }))
}

export interface DkimKey {
  readonly domain: string
  readonly selector: string
  readonly tenants: readonly string[]
  readonly from: EpochMs | null
  readonly until: EpochMs | null
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly privateKey: KeyObject
  /** what `<selector>._domainkey.<domain>` TXT should say */
  readonly dnsRecord: string
}

export interface LoadedKeys {
  readonly keys: readonly DkimKey[]
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

const RSA_REFUSED_BELOW_BITS = 1_024 // RFC 8301 3.2
const RSA_WARNED_BELOW_BITS = 2_048 // RFC 8301 3.2; Google and Yahoo ask for 2048
const RSA_WARNED_ABOVE_BITS = 4_096 // RFC 8301 3.2: verifiers need not check longer ones
const HOST_LABELS = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

/** One key; problems and warnings carry `path`. */
export function loadDkimKey(row: DkimRow, path = 'dkim'): LoadedKeys {
  const told = `${row.selector}._domainkey.${row.domain}`
  const refuse = (message: string): LoadedKeys => ({ keys: [], problems: [{ path, message: `${told}: ${message}` }], warnings: [] })
  const domain = row.domain.toLowerCase()
  if (!HOST_LABELS.test(domain) || !HOST_LABELS.test(row.selector.toLowerCase())) return refuse('domain and selector must be DNS names in ASCII')
  const privateKey = readPem(row.pem)
  if (typeof privateKey === 'string') return refuse(privateKey)
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  const isRsa = privateKey.asymmetricKeyType === 'rsa'
  if (!isRsa && privateKey.asymmetricKeyType !== 'ed25519') {
    return refuse(`the key is of type ${privateKey.asymmetricKeyType}; DKIM knows rsa (RFC 6376) and ed25519 (RFC 8463)`)
  }
  if (isRsa && bits < RSA_REFUSED_BELOW_BITS)
    return refuse(`the RSA key has ${bits} bits; receivers ignore keys below ${RSA_REFUSED_BELOW_BITS}, make one of 2048`)
  const warnings: Problem[] = []
  if (isRsa && bits < RSA_WARNED_BELOW_BITS)
    warnings.push({ path, message: `${told}: the RSA key has ${bits} bits; large providers ask for ${RSA_WARNED_BELOW_BITS}` })
  if (isRsa && bits > RSA_WARNED_ABOVE_BITS)
    warnings.push({ path, message: `${told}: the RSA key has ${bits} bits; receivers need not check keys above ${RSA_WARNED_ABOVE_BITS}` })
  const key: DkimKey = {
    domain,
    selector: row.selector,
    tenants: row.tenants,
    from: row.from ?? null,
    until: row.until ?? null,
    algorithm: isRsa ? 'rsa-sha256' : 'ed25519-sha256',
    privateKey,
    dnsRecord: dnsRecord(privateKey),
  }
  return { keys: [key], problems: [], warnings }
}

/** All rows of a fleet file; besides each key, no domain may have an Ed25519 key alone: the large providers do not verify it. */
export function loadDkimKeys(rows: readonly DkimRow[]): LoadedKeys {
  const loaded = rows.map((row, at) => loadDkimKey(row, `dkim[${at}]`))
  const keys = loaded.flatMap((one) => one.keys)
  const problems = loaded.flatMap((one) => one.problems)
  for (const domain of new Set(rows.map((row) => row.domain.toLowerCase()))) {
    const own = keys.filter((key) => key.domain === domain)
    if (own.length > 0 && own.every((key) => key.algorithm === 'ed25519-sha256')) {
      problems.push({ path: 'dkim', message: `${domain} has only Ed25519 keys, which the large providers do not verify; add an RSA key of 2048 bits` })
    }
  }
  return { keys, problems, warnings: loaded.flatMap((one) => one.warnings) }
}

function readPem(pem: string): KeyObject | string {
  if (/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) return 'this is the public key; the private key belongs here, the public one into DNS'
  if (/-----BEGIN CERTIFICATE-----/.test(pem)) return 'this is a certificate; the private key belongs here'
  if (/ENCRYPTED/.test(pem)) return 'the key is encrypted with a pass phrase; store it without one, readable by Hato alone'
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return 'this is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)'
  try {
    return createPrivateKey(pem)
  } catch (error) {
    return `the private key cannot be read (${(error as Error).message})`
  }
}

function dnsRecord(privateKey: KeyObject): string {
  const publicKey = createPublicKey(privateKey)
  if (privateKey.asymmetricKeyType === 'rsa') {
    return `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
  }
  // RFC 8463 4: the raw 32 octets, without the SPKI wrapping
  return `v=DKIM1; k=ed25519; p=${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`
}

export interface KeyQuestion {
  readonly tenant: string
  /** the domain of From, in A-labels */
  readonly fromDomain: string
  readonly at: EpochMs
}

/**
 * The keys that sign a mail: at most one of each algorithm, RSA first; of the nearest domain at or above From's (relaxed alignment, RFC 7489 3.1.1);
 * of several selectors in use the newest. Empty = there is none for this tenant, domain and time.
 */
export function chooseKeys(keys: readonly DkimKey[], question: KeyQuestion): readonly DkimKey[] {
  const usable = usableKeys(keys, question)
  const nearest = Math.max(0, ...usable.map((key) => key.domain.length))
  const newestFirst = usable.filter((key) => key.domain.length === nearest).sort((a, b) => (b.from ?? 0) - (a.from ?? 0))
  const rsa = newestFirst.find((key) => key.algorithm === 'rsa-sha256')
  const ed25519 = newestFirst.find((key) => key.algorithm === 'ed25519-sha256')
  return [rsa, ed25519].filter((key) => key !== undefined)
}

/** What is left of `chooseKeys` while DNS does not show the keys in `gone` (`keyId`): the other selector, the domain above. Empty where no RSA key is left. */
export function chooseShownKeys(keys: readonly DkimKey[], question: KeyQuestion, gone: ReadonlySet<string>): readonly DkimKey[] {
  const usable = usableKeys(keys, question)
  const shown = usable.filter((key) => !gone.has(keyId(key)))
  if (shown.length === usable.length) return chooseKeys(usable, question)
  const withRsa = new Set(shown.filter(({ algorithm }) => algorithm === 'rsa-sha256').map(({ domain }) => domain))
  return chooseKeys(
    shown.filter(({ domain }) => withRsa.has(domain)),
    question,
  )
}

/** All that sign for it at some time. */
export function keysFor(keys: readonly DkimKey[], { tenant, fromDomain }: Omit<KeyQuestion, 'at'>): readonly DkimKey[] {
  return keys.filter((key) => key.tenants.includes(tenant) && (fromDomain === key.domain || fromDomain.endsWith(`.${key.domain}`)))
}

const usableKeys = (keys: readonly DkimKey[], question: KeyQuestion): readonly DkimKey[] =>
  keysFor(keys, question).filter(({ from, until }) => (from === null || from <= question.at) && (until === null || question.at < until))

/** Where DNS should show the key. */
export const keyName = ({ selector, domain }: Pick<DkimKey, 'selector' | 'domain'>): string => `${selector}._domainkey.${domain}`

/** Names the key itself: another one under the same selector is another key, of which nothing is known yet. */
export const keyId = (key: Pick<DkimKey, 'selector' | 'domain' | 'dnsRecord'>): string =>
  `${keyName(key)} ${hash('sha256', key.dnsRecord, 'base64url').slice(0, 16)}`
