import type { Paint, Style } from './screen.ts'
import { cut, pad, printable, widthOf } from './text.ts'

type Cell = string | { readonly text: string; readonly style: Style | null }

export interface Column<T> {
  readonly title: string
  /** numbers stand on the right */
  readonly side?: 'right'
  /** may be cut to fit the terminal, down to this many columns */
  readonly atLeast?: number
  /** where room lacks, the column with the highest number is left out first */
  readonly spare?: number
  readonly cell: (row: T) => Cell
}

interface Filled {
  readonly title: string
  readonly side: 'left' | 'right'
  readonly atLeast: number | null
  readonly spare: number
  readonly wanted: number
  readonly cells: readonly { readonly text: string; readonly style: Style | null }[]
}

const GAP = '  '

/** Lines of a table that fits `width` columns. A column whose cells are all empty is left out. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[], { width, paint }: { readonly width: number; readonly paint: Paint }): string[] {
  const shown = fitting(
    columns.map((column) => fill(column, rows)).filter(({ cells }) => cells.some(({ text }) => text !== '')),
    width,
  )
  const widths = widthsFor(shown, width)
  const line = (cellOf: (column: Filled) => { readonly text: string; readonly style: Style | null }) =>
    shown
      .map((column, at) => {
        const { text, style } = cellOf(column)
        const fitted = cut(text, widths[at] as number)
        const placed = at === shown.length - 1 && column.side === 'left' ? fitted : pad(fitted, widths[at] as number, column.side)
        return style === null ? placed : paint(style, placed)
      })
      .join(GAP)
      .trimEnd()
  return [line(({ title }) => ({ text: title, style: 'dim' })), ...rows.map((_, row) => line(({ cells }) => cells[row] ?? { text: '', style: null }))]
}

function fill<T>({ title, side, atLeast, spare, cell }: Column<T>, rows: readonly T[]): Filled {
  const cells = rows.map((row) => {
    const made = cell(row)
    return typeof made === 'string' ? { text: printable(made), style: null } : { text: printable(made.text), style: made.style }
  })
  return {
    title,
    side: side ?? 'left',
    atLeast: atLeast ?? null,
    spare: spare ?? 0,
    wanted: Math.max(widthOf(title), ...cells.map(({ text }) => widthOf(text))),
    cells,
  }
}

/** Without the columns that can be spared, as long as the rest does not fit however it is cut. */
function fitting(columns: readonly Filled[], width: number): readonly Filled[] {
  const least = columns.reduce((sum, { wanted, atLeast }) => sum + Math.min(wanted, atLeast ?? wanted), GAP.length * (columns.length - 1))
  if (least <= width) return columns
  const spared = columns.reduce((most, { spare }) => Math.max(most, spare), 0)
  return spared === 0
    ? columns
    : fitting(
        columns.filter(({ spare }) => spare !== spared),
        width,
      )
}

/** Takes what is too much from the widest column that may be cut, until all fit or none can give. */
export function widthsFor(columns: readonly Pick<Filled, 'wanted' | 'atLeast'>[], width: number): number[] {
  const widths = columns.map(({ wanted }) => wanted)
  const gaps = GAP.length * Math.max(0, columns.length - 1)
  for (let over = widths.reduce((sum, one) => sum + one, gaps) - width; over > 0; over--) {
    let widest = -1
    for (const [at, { atLeast }] of columns.entries()) {
      if (atLeast !== null && (widths[at] as number) > atLeast && (widest === -1 || (widths[at] as number) > (widths[widest] as number))) widest = at
    }
    if (widest === -1) break
    widths[widest] = (widths[widest] as number) - 1
  }
  return widths
}
