import type { Clock } from '../runtime/clock.ts'
import { every } from '../runtime/wheel.ts'
import type { Campaigns, Running } from './campaigns.ts'
import type { Trouble } from './trouble.ts'

/** how often a cancelling campaign looks for mail that was deferred after it was cancelled */
const SWEEP_MS = 10_000

export interface RoundsOptions {
  readonly campaigns: Campaigns
  readonly clock: Clock
  readonly saveEveryMs: number
  /** what waits of a cancelling campaign is cancelled */
  readonly cancelWaiting: (running: Running) => Promise<void>
  readonly trouble: Trouble
}

/** What time brings to campaigns: a start that is due, counts that are not saved yet, mail that was deferred while its campaign was being cancelled. */
export function goRounds({ campaigns, clock, saveEveryMs, cancelWaiting, trouble }: RoundsOptions): Disposable {
  const save = () => {
    for (const running of campaigns.all()) {
      if (running.record.state === 'scheduled' && running.record.startAt <= clock.now())
        void campaigns.change(running, { state: running.expansion.done ? 'running' : 'counting' }).catch(trouble('start', running))
      else if (running.changed && clock.mono() >= running.saveAfter) void campaigns.save(running).catch(trouble('save', running))
    }
  }
  const sweep = () => {
    for (const running of campaigns.all()) if (running.record.state === 'cancelling') void cancelWaiting(running).catch(trouble('cancel', running))
  }
  const stack = new DisposableStack()
  stack.use(every(saveEveryMs, save))
  stack.use(every(SWEEP_MS, sweep))
  return stack
}
