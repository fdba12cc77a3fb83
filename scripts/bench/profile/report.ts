/** A profile as lines. Pure. */
import { number, table } from '../../demo/table.ts'
import { cellName } from '../cells.ts'
import { rate } from '../figures.ts'
import { shares } from './attribution.ts'
import type { Profiled } from './run.ts'

const FUNCTIONS = 15

export function profileLines({ cell, mails, tookMs, processes, stages, functions }: Profiled, bold: (text: string) => string): string[] {
  const perThousand = (ms: number) => ((ms / mails) * 1_000).toFixed(0)
  const right = (title: string) => ({ title, align: 'right' }) as const
  const left = (title: string) => ({ title, align: 'left' }) as const
  // Samples count a thread that waits for a core; what it used of one, the kernel tells.
  const sendersMs = processes.reduce((sum, { name, cpu }) => sum + (name.startsWith('sender') ? cpu.mainMs : 0), 0)
  const row = ({ stage, share }: { readonly stage: string; readonly share: number }) => [stage, `${(share * 100).toFixed(1)} %`, perThousand(share * sendersMs)]
  const rows = shares(new Map(stages)).map(row)
  const hottest = shares(new Map(functions)).slice(0, FUNCTIONS).map(row)
  const cpu = processes.map(({ name, cpu: { allMs, mainMs } }) => [
    name,
    `${((allMs / tookMs) * 100).toFixed(0)} %`,
    perThousand(allMs),
    perThousand(allMs - mainMs),
  ])
  return [
    '',
    `${number(mails)} mails, ${cellName(cell)}: ${number(Math.round(rate(mails, tookMs)))}/s while being profiled`,
    '',
    bold('Senders, first thread, by stage'),
    ...table([left('stage'), right('share'), right('CPU ms per 1,000 mails')], rows).map((line) => `  ${line}`),
    '',
    bold('The same by function, without what it calls'),
    ...table([left('function'), right('share'), right('CPU ms per 1,000 mails')], hottest).map((line) => `  ${line}`),
    '',
    bold('CPU by process'),
    ...table([left('process'), right('of a core'), right('CPU ms per 1,000 mails'), right('of them in other threads (signatures, GC)')], cpu).map(
      (line) => `  ${line}`,
    ),
  ]
}
