import { campaignName } from '../../protocol/ids.ts'
import { Infrastructure, RETRY_PACE_MS } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Running } from './campaigns.ts'

/** Repeats what only the network hinders. */
export async function again<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof Infrastructure) || error.code === 'closed') throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_PACE_MS[error.code]))
    }
  }
}

export type Trouble = (what: string, running: Running) => (error: unknown) => void

/** What the network hinders and comes round again by itself is told of, no more. */
export function troubles(log: Log): Trouble {
  return (what, running) => (error) => {
    if (!(error instanceof Infrastructure)) throw error
    log.warn(`${what} delayed`, { campaign: campaignName(running.record), error: error.message })
  }
}
