/** The record in numbers, as JSON: what `GET /record` answers. */
import type { IspCounts } from './counts.ts'
import type { IspRow } from './models/isp.ts'
import type { WorldRecord } from './record.ts'

export type SourceSummary = {
  readonly connects: number
  readonly maxOpen: number
  readonly encrypted: number
  readonly mails: number
  readonly stored: number
  readonly rcpts: number
  readonly maxMailsPerSession: number
  readonly maxRcptsPerSession: number
  readonly maxRefusedPerSession: number
  readonly rejected: Readonly<Record<string, number>>
  readonly excess: Readonly<Record<string, number>>
  readonly lastMailAt: number | null
  readonly returnDomains: Readonly<Record<string, number>>
}

export type IspSummary = {
  readonly stored: number
  readonly rcpts: number
  readonly met: Readonly<Record<string, number>>
  readonly excess: number
  readonly malformed: Readonly<Record<string, number>>
  readonly withoutMessageId: number
  readonly voided: number
  readonly sources: Readonly<Record<string, SourceSummary>>
}

export type Summary = {
  /** recipients taken, every copy counted */
  readonly taken: number
  readonly planted: WorldRecord['planted']
  /** only ISPs that heard something */
  readonly isps: Readonly<Record<string, IspSummary>>
}

export function summarise(record: WorldRecord, rows: readonly IspRow[]): Summary {
  const isps: Record<string, IspSummary> = {}
  for (const { name } of rows) {
    const counts = record.isps.get(name)
    if (counts !== undefined) isps[name] = summariseIsp(counts)
  }
  return { taken: record.taken, planted: record.planted, isps }
}

function summariseIsp(counts: IspCounts): IspSummary {
  const sources = [...counts.sources].map(
    ([address, { rejected, excess, returnDomains, ...rest }]) =>
      [
        address,
        { ...rest, rejected: Object.fromEntries(rejected), excess: Object.fromEntries(excess), returnDomains: Object.fromEntries(returnDomains) },
      ] as const,
  )
  const sum = (pick: (source: SourceSummary) => number): number => sources.reduce((total, [, source]) => total + pick(source), 0)
  return {
    stored: sum(({ stored }) => stored),
    rcpts: sum(({ rcpts }) => rcpts),
    excess: sum(({ excess }) => Object.values<number>(excess).reduce((total, count) => total + count, 0)),
    met: Object.fromEntries(counts.met),
    malformed: Object.fromEntries(counts.malformed),
    withoutMessageId: counts.withoutMessageId,
    voided: counts.voided,
    sources: Object.fromEntries(sources),
  }
}
