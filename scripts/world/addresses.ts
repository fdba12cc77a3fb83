/** Every MX host has an address of its own: providers from .1 upwards, the tail's boxes behind them. */
import type { IspRow } from './models/isp.ts'

export type Addresses = {
  /** the address of an MX host; throws RangeError for a host no row has */
  of(host: string): string
  readonly all: readonly { readonly host: string; readonly address: string; readonly row: IspRow }[]
}

/** Where mail to the sending domains themselves would go; nobody listens there. */
export const INBOUND_PART = 250

export function allocate(rows: readonly IspRow[], base: string): Addresses {
  const all = rows.flatMap((row) => row.hosts.map((host) => ({ host, row }))).map(({ host, row }, n) => ({ host, row, address: `${base}.${n + 1}` }))
  if (all.length >= INBOUND_PART) throw new RangeError(`${all.length} MX hosts do not fit into ${base}.0/24`)
  const byHost = new Map(all.map(({ host, address }) => [host, address]))
  return {
    all,
    of(host) {
      const address = byHost.get(host)
      if (address === undefined) throw new RangeError(`no ISP has a host ${host}`)
      return address
    },
  }
}
