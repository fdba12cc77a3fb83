import { generateKeyPairSync } from 'node:crypto'

/** A fleet for loopback: tenant acme, one pool, so many source IPs 127.0.1.x, retries cut to seconds, fresh keys. */
export function loopbackFleet(
  network: { readonly dns: string; readonly smtpPort: number },
  changes: { readonly ips?: number; readonly isp?: readonly object[]; readonly more?: object } = {},
): object {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    network: { dns: [network.dns], smtp_port: network.smtpPort, only_private_mx: true },
    preflight: { off: true },
    tenant: [{ name: 'acme', domains: ['acme.example'], return_path: 'bounce.acme.example', feedback_id: 'acmeco' }],
    pool: [{ name: 'acme', tenants: ['acme'] }],
    ip: Array.from({ length: changes.ips ?? 4 }, (_, at) => ({ address: `127.0.1.${at + 1}`, pool: 'acme', ehlo: `mx${at + 1}.hato.example` })),
    dkim: [{ domain: 'acme.example', tenants: ['acme'], selector: 's1', key: rsa }],
    warmup: { from_start: 0 },
    retry: { first: '1s' },
    ...(changes.isp && { isp: changes.isp }),
    ...changes.more,
  }
}

/** A notice with the given recipients, the body some 2 KB. */
export function noticeTo(id: string, addresses: readonly string[], more: object = {}): object & { readonly id: string } {
  const campaign = {
    id,
    kind: 'notice',
    from: { name: 'Acme', address: 'news@acme.example' },
    subject: '{{ ref }} へのお知らせ',
    text: `Dear {{ ref }},\n\n${'The quick brown fox jumps over the lazy dog. '.repeat(40)}\n`,
    recipients: addresses.map((address, at) => ({ address, ref: `r-${at}` })),
    ...more,
  }
  return campaign
}
