/** The comparison as text: for a terminal and for BENCHMARKS.md. Pure. Ratios first: they travel to another machine, rates do not. */
import { type Column, number, table } from '../demo/table.ts'
import { type Cell, cellName, COMMON, DKIMS, type Pace, ROUNDS, SECONDS } from './cells.ts'
import type { Absent, Contender } from './contender.ts'
import { endToEnd, ratio, type Row, spread } from './figures.ts'
import type { Machine } from './machine.ts'

export interface Report {
  readonly machine: Machine
  /** as a person would type it */
  readonly command: string
  readonly pace: Pace
  readonly day: string
  readonly rows: readonly Row[]
  readonly contenders: readonly Pick<Contender, 'name' | 'title' | 'version' | 'settings' | 'durability'>[]
  readonly absent: readonly Absent[]
  /** began and did not get through; each makes the exit code 1 */
  readonly failed: readonly Absent[]
  /** `openssl speed`, one core; null where it is not there */
  readonly signatures: number | null
}

export interface Block {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

const left = (title: string): Column => ({ title, align: 'left' })
const right = (title: string): Column => ({ title, align: 'right' })

export function blocks(report: Report): Block[] {
  return [ratios(report), rates(report)].filter(({ rows }) => rows.length > 0)
}

/** Hato's end-to-end rate over each peer's, where both were measured with the same mails. */
function ratios({ rows, contenders }: Report): Block {
  const own = rows.filter(({ contender }) => contender === 'hato')
  const peers = contenders.filter(({ name }) => name !== 'hato')
  return {
    title: 'Hato, end to end, as a multiple of',
    columns: [left('mails'), ...peers.map(({ title }) => right(title))],
    rows: peers.length === 0 ? [] : own.map((mine) => [cellName(mine.cell), ...peers.map(({ name }) => ratioTo(mine, find(rows, name, mine.cell)))]),
  }
}

const ratioTo = (mine: Row, theirs: Row | null): string => (theirs === null ? '–' : ratio(endToEnd(mine), endToEnd(theirs)))

function find(rows: readonly Row[], contender: string, cell: Cell): Row | null {
  return rows.find((row) => row.contender === contender && cellName(row.cell) === cellName(cell)) ?? null
}

function rates({ rows, contenders }: Report): Block {
  const titles = new Map(contenders.map(({ name, title }) => [name, title]))
  return {
    title: `Mails a second (medians of ${ROUNDS}; half the distance between best and worst)`,
    columns: [left('mails'), left('contender'), right('to the last 250'), right(''), right('to its own "finished"'), right('mails a run')],
    rows: rows
      .toSorted((a, b) => order(a.cell) - order(b.cell))
      .map((row) => [
        cellName(row.cell),
        titles.get(row.contender) ?? row.contender,
        number(Math.round(row.median)),
        spread(row.rates),
        row.toFinished === null ? '–' : number(Math.round(row.toFinished)),
        number(row.mails),
      ]),
  }
}

/** The common cell first, then by size and signature. */
function order(cell: Cell): number {
  const first = cell.bodyKb === COMMON.bodyKb ? 0 : cell.bodyKb
  return first * 10 + DKIMS.indexOf(cell.dkim)
}

/** One line on how far the signature itself bounds a rate. */
export function signatureLine({ signatures, rows, machine }: Report): string | null {
  if (signatures === null) return null
  const bound = Math.round(signatures) * machine.cores
  const own = find(rows, 'hato', { ...COMMON, dkim: 'rsa-2048' })
  const share =
    own === null ? '' : `; Hato signs and sends ${number(Math.round(endToEnd(own)))} mails a second, ${Math.round((endToEnd(own) / bound) * 100)} % of that`
  return `\`openssl speed rsa2048\`: ${number(Math.round(signatures))} signatures a second on one core, ${number(bound)} on ${machine.cores} that do nothing else${share}.`
}

export function terminalLines(report: Report, bold: (text: string) => string): string[] {
  const line = signatureLine(report)
  return [
    ...blocks(report).flatMap(({ title, columns, rows }) => ['', bold(title), ...table(columns, rows).map((one) => `  ${one}`)]),
    ...(line === null ? [] : ['', line.replaceAll('`', '')]),
    ...[...report.absent, ...report.failed].map(({ title, because }) => `not measured: ${title}, since ${because}`),
  ]
}

export function markdown(report: Report): string {
  const { machine, contenders } = report
  const absent = [...report.absent, ...report.failed]
  const line = signatureLine(report)
  const { start, cell, run } = SECONDS[report.pace]
  return [
    '# Benchmarks',
    '',
    `Written by \`${report.command}\` on ${report.day}; the next run writes it anew. The same mails (multipart, text and so many KB of HTML, the recipient's name and number in every paragraph) go through each contender into the same sink, Postfix's smtp-sink, all on loopback. Contenders take turns (A B A B …), each alone while it runs, sink and contender sharing the cores; a figure is the median of ${ROUNDS} rounds.`,
    '',
    `A peer's time runs from the first mail handed over to the sink's last 250. Hato's runs from the publish of the campaign until its own event \`finished\`, so expansion, release, claims, outcomes and the count are all in it. Nobody is measured cold: each sends for some ${start} seconds after its start and for some ${cell} seconds before each row, then for some ${run} seconds that count.`,
    '',
    ...blocks(report).flatMap(({ title, columns, rows }) => [`## ${title}`, '', ...markdownTable(columns, rows), '']),
    ...(line === null ? [] : [line, '']),
    '## What was compared',
    '',
    ...markdownTable(
      [left('contender'), left('version'), left('how it was set'), left('what a crash leaves')],
      contenders.map(({ title, version, settings, durability }) => [title, version, settings, durability]),
    ),
    '',
    ...absent.map(({ title, because }) => `Not measured: ${title}, since ${because}.\n`),
    `Machine: ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, nats-server ${machine.nats}, stores and queues on ${machine.fileSystem}; load before the start ${machine.load.toFixed(2)}. Where something else was busy meanwhile, ratios suffer less than rates.`,
    '',
  ].join('\n')
}

function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns.map(({ title }) => title)), line(columns.map(({ align }) => (align === 'right' ? '--:' : '---'))), ...rows.map(line)]
}
