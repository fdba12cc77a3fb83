import type { Bus } from '../../services/runtime/bus.ts'
import { BadConfig, Infrastructure, InvariantBroken } from '../../services/runtime/errors.ts'
import { ObjectError } from '../../services/runtime/objects.ts'
import type { Asked, Command, Here } from './command.ts'
import { COMMANDS } from './commands.ts'
import { connectOrFail, findNats, type NatsPlace } from './connect.ts'
import { EXIT, Failure, type FailureKind, problemLine } from './failure.ts'
import { helpOn, overview, usage } from './help.ts'
import { understand } from './parse.ts'
import { openScreen, type Screen, type Terminal } from './screen.ts'
import { printable } from './text.ts'
import { version } from './version.ts'

/** One call of `hato`: the exit code. */
export async function hato(argv: readonly string[], terminal: Terminal): Promise<number> {
  const screen = openScreen(terminal)
  const understood = understand(argv, COMMANDS)
  switch (understood.kind) {
    case 'version':
      screen.out(`hato ${await version()} (node ${process.versions.node})`)
      return EXIT.ok
    case 'help':
      screen.out(understood.topic === '' ? overview(COMMANDS, screen.paint, screen.width) : helpOn(understood.topic, COMMANDS, screen.paint))
      return EXIT.ok
    case 'nothing':
      screen.note(overview(COMMANDS, screen.paintNote, screen.width))
      return EXIT.usage
    case 'wrong':
      screen.note(`${screen.paintNote('red', 'hato:')} ${printable(understood.message)}`)
      for (const line of usageOf(understood.topic)) screen.note(line)
      return EXIT.usage
    case 'run':
      return run(understood.command, understood.asked, terminal, screen)
  }
}

function usageOf(topic: string): string[] {
  const command = COMMANDS.find(({ name }) => name === topic)
  if (command) return [`usage: ${usage(command)}`, `       hato help ${command.name} says more`]
  return [topic === '' ? 'hato help lists the commands' : `hato help ${topic} says more`]
}

async function run(command: Command, asked: Asked, terminal: Terminal, screen: Screen): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const stop = stack.use(hearCtrlC(screen))
  stack.defer(() => screen.endLive())
  let place: Promise<NatsPlace> | null = null
  let bus: Promise<Bus> | null = null
  const where = () => (place ??= findNats(asked.values.get('nats'), terminal.env))
  const here: Here = {
    screen,
    env: terminal.env,
    stopping: stop.signal,
    now: () => Date.now(),
    natsUrl: async () => (await where()).url,
    bus() {
      bus ??= where().then(async (found) =>
        stack.use(await connectOrFail({ place: found, env: terminal.env, stopping: stop.signal, note: (text) => screen.note(`hato: ${text}`) })),
      )
      return bus
    },
  }
  try {
    return await Promise.race([command.run(asked, here), stop.over])
  } catch (error) {
    if (stop.signal.aborted) return EXIT.interrupted
    const failure = failureOf(error)
    if (failure === null) throw error
    tell(failure, asked, screen)
    return EXIT[failure.kind]
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const LAST_WORDS_MS = 300

/** Ctrl-C lets the command say what goes on without it; whatever has not ended a moment later is left. */
function hearCtrlC(screen: Screen): Disposable & { readonly signal: AbortSignal; readonly over: Promise<number> } {
  const controller = new AbortController()
  const over = Promise.withResolvers<number>()
  const hear = () => {
    if (controller.signal.aborted) return
    screen.endLive()
    controller.abort(new Error('stopped'))
    setTimeout(() => over.resolve(EXIT.interrupted), LAST_WORDS_MS)
  }
  for (const name of SIGNALS) process.on(name, hear)
  return {
    signal: controller.signal,
    over: over.promise,
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, hear)
    },
  }
}

const MOST_PROBLEMS = 1_000

function tell(failure: Failure, asked: Asked, screen: Screen): void {
  if (asked.flags.has('json'))
    screen.out(JSON.stringify({ error: { code: failure.code, message: failure.message, ...(failure.problems.length > 0 && { problems: failure.problems }) } }))
  const [first = '', ...more] = failure.message.split('\n')
  screen.note(`${screen.paintNote('red', 'hato:')} ${printable(first)}`)
  for (const line of [...more, ...failure.problems.slice(0, MOST_PROBLEMS).map(problemLine)]) screen.note(`  ${printable(line)}`)
}

function failureOf(error: unknown): Failure | null {
  if (error instanceof Failure) return error
  if (error instanceof BadConfig) return new Failure('badConfig', error.message)
  if (error instanceof ObjectError) return new Failure('failed', error.message, { code: `object-${error.fault}` })
  if (error instanceof InvariantBroken && error.invariant === 'jetstream' && /stream not found/.test(error.message))
    return new Failure('unavailable', `no Hato cluster has run on this NATS server yet: ${error.message}. Start one with npm start`, { code: 'no-cluster' })
  if (!(error instanceof Infrastructure)) return null
  const [kind, what]: [FailureKind, string] =
    error.code === 'denied' ? ['failed', 'the NATS server does not let this user do that'] : ['unavailable', 'NATS does not answer']
  return new Failure(kind, `${what}: ${error.message}`, { code: error.code })
}
