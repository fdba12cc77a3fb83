import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { hato as call } from '../../scripts/cli/hato.ts'

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** One call of the command line in this process, which saves a second a call: `hato(url, 'status', 'acme/spring')`. */
export async function hato(natsUrl: string, ...args: readonly string[]): Promise<Said> {
  let [out, err] = ['', '']
  const into = (take: (text: string) => void) => ({
    isTTY: false,
    columns: 80,
    write(text: string | Uint8Array) {
      take(String(text))
      return true
    },
  })
  const code = await call(args, { stdout: into((text) => (out += text)), stderr: into((text) => (err += text)), env: { HATO_NATS_URL: natsUrl } })
  return { code, out, err }
}

const MAIN = fileURLToPath(new URL('../../scripts/cli/main.ts', import.meta.url))

export interface HatoOptions {
  /** standard input */
  readonly input?: string
  /** called with what stdout holds so far; what it returns is sent to the process */
  readonly watch?: (out: string) => NodeJS.Signals | null
}

/** The command line as a process of its own, as a person calls it. Nothing of this machine's HATO_* reaches it. */
export async function hatoProcess(
  variables: Readonly<Record<string, string>>,
  args: readonly string[],
  { input = '', watch }: HatoOptions = {},
): Promise<Said> {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HATO_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|VITEST)/.test(name)))
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...clean, ...variables }, stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    const signal = watch?.(out) ?? null
    if (signal !== null) child.kill(signal)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdin.end(input)
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  return { code: await promise, out, err }
}
