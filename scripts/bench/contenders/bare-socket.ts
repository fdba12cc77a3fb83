import { blast } from '../blaster.ts'
import type { Contender } from '../contender.ts'
import { prebuilt } from '../mails.ts'

const SESSIONS = 10
/** As many different mails are kept; at 100 KB they are 5 MB. */
export const BODIES = 50

export const bareSocket: Contender = {
  name: 'bare-socket',
  title: 'bare sockets (upper bound)',
  version: `Node ${process.versions.node}`,
  settings: `${SESSIONS} sessions in one process, mails built beforehand, next envelope behind the body; nothing rendered, nothing written down`,
  durability: 'none',
  perSecond: 15_000,
  measures: ({ dkim }) => dkim === 'none',
  async start({ target, signal }) {
    const { host, port } = target
    return {
      async send({ bodyKb }, mails) {
        const bodies = await prebuilt(bodyKb, BODIES)
        const beganMs = performance.now()
        await blast({ host, port, bodies, mails, sessions: SESSIONS, manner: 'ahead', signal })
        return { beganMs, finishedMs: null }
      },
      async [Symbol.asyncDispose]() {},
    }
  },
}
