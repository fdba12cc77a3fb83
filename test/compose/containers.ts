import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { openListeners } from './until.ts'

/** One container of the project as the engine's events tell of it. */
export interface Container {
  /** the first twelve digits, which are also the host name inside */
  readonly id: string
  readonly service: string
  readonly healthy: boolean
  /** null while it runs */
  readonly exitCode: number | null
}

export interface Containers extends Disposable {
  of(service: string): readonly Container[]
  until(what: string, holds: () => boolean, withinMs: number): Promise<void>
}

interface EngineEvent {
  readonly status?: string
  readonly id?: string
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> }
}

const ID_DIGITS = 12

/** Listens to the engine from now on, so it comes before the first `up`. */
export function watchContainers(project: string, env: Readonly<Record<string, string>>): Containers {
  const containers = new Map<string, Container>()
  const { ask, until } = openListeners()
  const child = spawn('docker', ['events', '--filter', `label=com.docker.compose.project=${project}`, '--filter', 'type=container', '--format', '{{json .}}'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { status = '', id = '', Actor: actor } = JSON.parse(line) as EngineEvent
    const service = actor?.Attributes?.['com.docker.compose.service'] ?? ''
    const key = id.slice(0, ID_DIGITS)
    const known = containers.get(key) ?? { id: key, service, healthy: false, exitCode: null }
    if (status === 'start') containers.set(key, { ...known, healthy: false, exitCode: null })
    else if (status.startsWith('health_status')) containers.set(key, { ...known, healthy: status.endsWith(': healthy') })
    else if (status === 'die') containers.set(key, { ...known, healthy: false, exitCode: Number(actor?.Attributes?.exitCode) })
    ask()
  })
  const of = (service: string) => [...containers.values()].filter((one) => one.service === service)
  return {
    of,
    until: (what, holds, withinMs) =>
      until(what, holds, withinMs, () =>
        [...containers.values()]
          .map(
            ({ service, id, healthy, exitCode }) =>
              `${service} ${id.slice(0, 4)} ${exitCode === null ? (healthy ? 'healthy' : 'starting') : `exit ${exitCode}`}`,
          )
          .join(', '),
      ),
    [Symbol.dispose]: () => void child.kill(),
  }
}
