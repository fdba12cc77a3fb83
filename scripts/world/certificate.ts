/** Certificates made at start, so that no key lies in the repository and no openssl is needed: self-signed ones, as good as most MX hosts'
 *  (opportunistic TLS takes any, RFC 7435), and those of an authority of our own, for who asks whether they can be trusted. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import tls from 'node:tls'

/** issued: by the world's authority, right in everything · other-name: by it, for a name that is not the host's · expired: by it, until yesterday */
export const CERTIFICATE_KINDS = ['issued', 'other-name', 'expired'] as const
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number]

export interface Certificate {
  /** PEM; behind an issued one stands its authority's, as servers send it */
  readonly cert: string
  readonly key: string
}

export interface Authority {
  /** what a client has to trust */
  readonly cert: string
  issue(names: readonly string[], validity?: Partial<Validity>): Certificate
}

export interface Validity {
  readonly from: Date
  readonly until: Date
}

/** DER: tag, length, contents (X.690 8.1). */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  const size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
const COMMON_NAME = oid('550403')
const SUBJECT_ALT_NAME = oid('551d11')
const BASIC_CONSTRAINTS = oid('551d13')
const TRUE = der(0x01, Buffer.from([0xff]))
const utcTime = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))
const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))))
const DAY_MS = 86_400_000
const yearFrom = (now: Date): Validity => ({ from: new Date(now.getTime() - DAY_MS), until: new Date(now.getTime() + 365 * DAY_MS) })

/** P-256, valid from yesterday for a year. */
export function selfSigned(names: readonly string[], now: Date): Certificate {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = nameOf(names[0] ?? 'mx')
  return {
    cert: certificate({ subject: name, issuer: name, publicKey: keys.publicKey, signer: keys.privateKey, extensions: [altNames(names)], ...yearFrom(now) }),
    key: pem(keys.privateKey),
  }
}

export function openAuthority(commonName: string, now: Date): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = nameOf(commonName)
  const isAuthority = sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, sequence(TRUE)))
  const cert = certificate({ subject: issuer, issuer, publicKey: keys.publicKey, signer: keys.privateKey, extensions: [isAuthority], ...yearFrom(now) })
  return {
    cert,
    issue(names, validity = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const subject = nameOf(names[0] ?? 'mx')
      const issued = certificate({
        subject,
        issuer,
        publicKey: own.publicKey,
        signer: keys.privateKey,
        extensions: [altNames(names)],
        ...yearFrom(now),
        ...validity,
      })
      return { cert: issued + cert, key: pem(own.privateKey) }
    },
  }
}

export function contextOf(certificate: Certificate): tls.SecureContext {
  return tls.createSecureContext({ ...certificate })
}

function altNames(names: readonly string[]): Buffer {
  return sequence(SUBJECT_ALT_NAME, der(0x04, sequence(...names.map((one) => der(0x82, Buffer.from(one))))))
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

type Parts = Validity & {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
}

/** X.509 version 3 as PEM (RFC 5280 4.1). */
function certificate({ subject, issuer, publicKey, signer, extensions, from, until }: Parts): string {
  const serial = randomBytes(8)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 1
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(utcTime(from), utcTime(until)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const whole = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), sign('sha256', body, signer)))
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}
