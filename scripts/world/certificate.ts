/** A self-signed certificate made at start, so that no key lies in the repository and no openssl is needed.
 *  Opportunistic TLS takes any certificate (RFC 7435); this one is as good as most MX hosts'. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import tls from 'node:tls'

/** DER: tag, length, contents (X.690 8.1). */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  const size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents)
const ECDSA_WITH_SHA256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
const COMMON_NAME = Buffer.from('550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex')
const utcTime = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))
const DAY_MS = 86_400_000

/** P-256, valid from yesterday for a year (RFC 5280 4.1). */
export function selfSigned(names: readonly string[], now: Date): tls.SecureContext {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(der(0x31, sequence(der(0x06, COMMON_NAME), der(0x0c, Buffer.from(names[0] ?? 'mx')))))
  const altNames = sequence(...names.map((one) => der(0x82, Buffer.from(one))))
  const extensions = der(0xa3, sequence(sequence(der(0x06, SUBJECT_ALT_NAME), der(0x04, altNames))))
  const serial = randomBytes(8)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 1
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(new Date(now.getTime() - DAY_MS)), utcTime(new Date(now.getTime() + 365 * DAY_MS))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature))
  return tls.createSecureContext({
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  })
}
