/**
 * screen: the one place that writes. Answers go to stdout, what is said about them to stderr; colours only where a person sees them.
 */
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
export type Paint = (style: Style, text: string) => string

export interface Screen {
  /** stdout is a terminal */
  readonly tty: boolean
  /** columns of the terminal; Infinity when piped, so that nothing is cut from what a program reads */
  readonly width: number
  readonly paint: Paint
  /** an answer, on stdout */
  out(text: string): void
  /** a piece of an answer as it comes, with its own line ends */
  pass(text: string): void
  /** a remark, on stderr */
  note(text: string): void
  /** colours of stderr */
  readonly paintNote: Paint
  /** lines that are written over by the next ones; on a pipe nothing is shown */
  live(lines: readonly string[]): void
  /** takes the live lines away */
  endLive(): void
}

export interface Terminal {
  readonly stdout: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>
  readonly stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>
  readonly env: Readonly<Record<string, string | undefined>>
}

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const CLEAR_BELOW = '\x1b[0J'

export function openScreen({ stdout, stderr, env }: Terminal): Screen {
  let shown = 0
  const dumb = env.TERM === 'dumb'
  const over = () => (shown === 0 ? '' : `\x1b[${shown}A\r${CLEAR_BELOW}`)
  const endLive = () => {
    if (shown > 0) stdout.write(over() + SHOW_CURSOR)
    shown = 0
  }
  return {
    tty: stdout.isTTY === true,
    get width() {
      return stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY
    },
    paint: painter(coloured(stdout.isTTY, env)),
    paintNote: painter(coloured(stderr.isTTY, env)),
    out(text) {
      endLive()
      stdout.write(`${text}\n`)
    },
    pass(text) {
      endLive()
      stdout.write(text)
    },
    note(text) {
      endLive()
      stderr.write(`${text}\n`)
    },
    live(lines) {
      if (stdout.isTTY !== true || dumb) return
      stdout.write(`${shown === 0 ? HIDE_CURSOR : ''}${over()}${lines.join('\n')}\n`)
      shown = lines.length
    },
    endLive,
  }
}

/** https://no-color.org: any value that is not empty. */
function coloured(isTty: boolean | undefined, env: Terminal['env']): boolean {
  if (env.NO_COLOR) return false
  return env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : isTty === true && env.TERM !== 'dumb'
}

function painter(on: boolean): Paint {
  return on ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
}
