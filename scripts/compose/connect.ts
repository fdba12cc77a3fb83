import { type Bus, connectBus } from '../../services/runtime/bus.ts'
import { sayingLog } from '../start/saying-log.ts'
import { waitForNats } from '../start/nats-probe.ts'

/** Waits for a NATS server that Hato can use. Throws BadConfig for any other. */
export async function connect(
  config: { readonly natsUrl: string; readonly natsUser: string | null; readonly natsPass: string | null },
  name: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Bus> {
  const { natsUrl: url, natsUser: user, natsPass: pass } = config
  await waitForNats(url, { say, signal })
  return connectBus({ url, name, log: sayingLog(say), signal, ...(user === null ? {} : { credentials: { user, pass: pass ?? '' } }) })
}
