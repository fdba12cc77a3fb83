import { MINUTE_MS, provider } from './row.ts'
import type { ProviderRow } from './row.ts'
import { A, K, KC, P } from './sources.ts'

/** A filter's limits are its customer's or its region's: the host set shares them, not all its customers together. */
function filter(name: string, mx: readonly string[], sampleMx: ProviderRow['sampleMx']): ProviderRow {
  return provider({ name, mx, per: 'hosts', sessionsPerIp: 5, mailsPerSession: 50, since: { mx: A, per: A, sessionsPerIp: A, mailsPerSession: A }, sampleMx })
}

/** Services that stand before the mail servers of companies. */
export const FILTERS = [
  provider({
    name: 'proofpoint',
    mx: ['pphosted.com', 'ppe-hosted.com'],
    per: 'hosts',
    sessionsPerIp: 5,
    mailsPerSession: 50,
    since: { mx: A, per: A, sessionsPerIp: A, mailsPerSession: A },
    sampleMx: [
      ['mx0a-00123401.pphosted.com', 'mx0b-00123401.pphosted.com'],
      ['mx1-us1.ppe-hosted.com', 'mx2-us1.ppe-hosted.com'],
    ],
  }),
  provider({
    name: 'barracuda',
    mx: ['barracudanetworks.com'],
    per: 'domain', // the limit is each customer's own number, counted per recipient domain and IP in 30 min
    sessionsPerIp: 10,
    mailsPerSession: 15,
    rest: { busyMs: 30 * MINUTE_MS },
    since: { mx: A, per: P, sessionsPerIp: KC, mailsPerSession: KC, rest: P },
    sampleMx: [['d123456a.ess.barracudanetworks.com'], ['d123456a.ess.de.barracudanetworks.com', 'd123456b.ess.de.barracudanetworks.com']],
  }),
  provider({
    name: 'mimecast',
    mx: ['mimecast.com', 'mimecast.co.za', 'mimecast-offshore.com'],
    per: 'hosts',
    sessionsPerIp: 10,
    mailsPerSession: 100,
    since: { mx: K, per: A, sessionsPerIp: K, mailsPerSession: K },
    sampleMx: [
      ['eu-smtp-inbound-1.mimecast.com', 'eu-smtp-inbound-2.mimecast.com'],
      ['za-smtp-inbound-1.mimecast.co.za', 'za-smtp-inbound-2.mimecast.co.za'],
      ['je-smtp-inbound-1.mimecast-offshore.com', 'je-smtp-inbound-2.mimecast-offshore.com'],
    ],
  }),
  filter('messagelabs', ['messagelabs.com'], [['cluster1.us.messagelabs.com'], ['cluster5.eu.messagelabs.com']]),
  filter('iphmx', ['iphmx.com'], [['mx1.hc1234-56.iphmx.com', 'mx2.hc1234-56.iphmx.com']]),
  filter('trendmicro', ['tmes.trendmicro.com', 'tmes.trendmicro.eu'], [['acme.in.tmes.trendmicro.com'], ['acme.in.tmes.trendmicro.eu']]),
  filter('sophos', ['sophos.com'], [['mx-01-eu-west-1.prod.hydra.sophos.com', 'mx-02-eu-west-1.prod.hydra.sophos.com']]),
  filter('hornetsecurity', ['hornetsecurity.com'], [['mx01.hornetsecurity.com', 'mx02.hornetsecurity.com']]),
  filter('antispamcloud', ['antispamcloud.com'], [['mx.antispamcloud.com']]),
]
