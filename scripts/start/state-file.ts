import { rename, rm, writeFile } from 'node:fs/promises'
import type { ActorRole } from './roles.ts'

/** `<data>/cluster.json`: who runs where. `pid` null = between two lives. */
export interface ClusterState {
  readonly supervisor: number
  readonly natsUrl: string
  readonly nats: { readonly pid: number | null; readonly lives: number } | null
  readonly actors: readonly {
    readonly role: ActorRole
    readonly number: number
    readonly pid: number | null
    readonly lives: number
    readonly nodeId: string
    /** null until it has started */
    readonly health: string | null
  }[]
}

/** The file follows the state: one write at a time, the last state always written; gone at the end. */
export function stateFile(path: string, state: () => ClusterState, say: (line: string) => void): AsyncDisposable & { readonly changed: () => void } {
  let writing: Promise<void> = Promise.resolve()
  let pending = false
  const write = async () => {
    pending = false
    try {
      await writeFile(`${path}.new`, `${JSON.stringify(state(), null, 2)}\n`)
      await rename(`${path}.new`, path)
    } catch (error) {
      say(`${path} could not be written: ${error instanceof Error ? error.message : error}`) // it only informs; the cluster goes on
    }
  }
  return {
    changed() {
      if (pending) return
      pending = true
      writing = writing.then(write)
    },
    async [Symbol.asyncDispose]() {
      await writing
      await rm(path, { force: true })
    },
  }
}
