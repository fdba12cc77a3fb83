/**
 * Where the demo's picture goes: redrawn in place on a terminal, plain lines elsewhere.
 */
import { COLOURS, drawLine, drawScreen, type Paint, PLAIN, type View } from './screen.ts'

export interface Display extends Disposable {
  readonly paint: Paint
  /** a line that stays */
  say(line: string): void
  show(view: View): void
}

const LINE_EVERY_MS = 2_000
const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'

export function openDisplay(out: NodeJS.WriteStream): Display {
  return out.isTTY ? onTerminal(out) : onPipe(out)
}

function onPipe(out: NodeJS.WriteStream): Display {
  let nextMs = 0
  return {
    paint: PLAIN,
    say: (line) => void out.write(`${line}\n`),
    show(view) {
      if (view.elapsedMs < nextMs) return
      nextMs = view.elapsedMs + LINE_EVERY_MS
      out.write(`${drawLine(view)}\n`)
    },
    [Symbol.dispose]() {},
  }
}

function onTerminal(out: NodeJS.WriteStream): Display {
  let drawn: string[] = []
  const clear = () => (drawn.length === 0 ? '' : `\x1b[${drawn.length}A\r\x1b[J`)
  // Each frame is one write, so that nobody sees half of it.
  const frame = (above: string, lines: string[]) => {
    out.write(`${HIDE_CURSOR}${clear()}${above}${lines.map((line) => `${line}\n`).join('')}${SHOW_CURSOR}`)
    drawn = lines
  }
  return {
    paint: process.env.NO_COLOR ? PLAIN : COLOURS,
    say: (line) => frame(`${line}\n`, drawn),
    show: (view) => frame('', drawScreen(view, process.env.NO_COLOR ? PLAIN : COLOURS, out.columns ?? 80)),
    [Symbol.dispose]: () => void out.write(SHOW_CURSOR),
  }
}
