import type { EpochMs } from '../../../protocol/words.ts'
import type { DkimKey } from '../dkim-keys.ts'
import type { LookUp } from './look-up.ts'

export interface Finding {
  readonly about: 'dkim' | 'dmarc' | 'from' | 'return-path' | 'spf' | 'header-spf' | 'ptr'
  /** the domain or address it speaks of */
  readonly of: string
  /** `unknown`: DNS did not answer */
  readonly verdict: 'good' | 'warning' | 'bad' | 'unknown'
  readonly message: string
  /** what would mend it */
  readonly publish?: DnsRecord
}

export interface DnsRecord {
  readonly name: string
  readonly type: LookUp['type']
  readonly text: string
}

export interface Source {
  readonly address: string
  readonly ehlo: string
}

export interface Signing {
  /** the tenant's; with `dnsRecord` as it should be published */
  readonly keys: readonly DkimKey[]
  readonly tenant: string
  readonly at: EpochMs
}
