import type { Paint, Style } from './screen.ts'
import { cut, pad, printable, widthOf } from './text.ts'

export interface Column<T> {
  readonly title: string
  /** numbers stand on the right */
  readonly side?: 'right'
  /** may be cut to fit the terminal, down to this many columns */
  readonly atLeast?: number
  readonly cell: (row: T) => string | { readonly text: string; readonly style: Style | null }
}

const GAP = '  '

/** Lines of a table that fits `width` columns. A column whose cells are all empty is left out. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[], { width, paint }: { readonly width: number; readonly paint: Paint }): string[] {
  const filled = columns
    .map((column) => ({ column, cells: rows.map((row) => plain(column.cell(row))) }))
    .filter(({ cells }) => cells.some(({ text }) => text !== ''))
  const widths = fitted(
    filled.map(({ column, cells }) => ({
      wanted: Math.max(widthOf(column.title), ...cells.map(({ text }) => widthOf(text))),
      atLeast: column.atLeast ?? null,
    })),
    width,
  )
  const line = (cellOf: (at: number) => { text: string; style: Style | null }) =>
    filled
      .map(({ column }, at) => {
        const { text, style } = cellOf(at)
        const last = at === filled.length - 1
        const fitted = cut(text, widths[at] as number)
        const placed = last && column.side !== 'right' ? fitted : pad(fitted, widths[at] as number, column.side === 'right' ? 'right' : 'left')
        return style === null ? placed : paint(style, placed)
      })
      .join(GAP)
      .trimEnd()
  return [
    line((at) => ({ text: filled[at]?.column.title ?? '', style: 'dim' })),
    ...rows.map((_, row) => line((at) => filled[at]?.cells[row] ?? { text: '', style: null })),
  ]
}

function plain(cell: string | { readonly text: string; readonly style: Style | null }): { text: string; style: Style | null } {
  return typeof cell === 'string' ? { text: printable(cell), style: null } : { text: printable(cell.text), style: cell.style }
}

/** Takes what is too much from the widest column that may be cut, until all fit or none can give. */
export function fitted(columns: readonly { readonly wanted: number; readonly atLeast: number | null }[], width: number): number[] {
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
