/** For tests: talks to a model as a sender would, on a clock that the test turns. */
import type { Answer } from './behaviour.ts'
import { receive, type Received } from './conversation.ts'
import type { Arrived, Mail, SmtpEvent } from './event.ts'
import { openIsp, type IspRow } from './isp.ts'
import type { Behaviour } from './behaviour.ts'

export const TEST_DOMAIN = 'test.example'

export function rowWith(...behaviours: readonly Behaviour[]): IspRow {
  return {
    name: 'test',
    hosts: ['mx.test.example'],
    domains: [{ domain: TEST_DOMAIN, mx: [[10, 'mx.test.example']] }],
    ehlo: ['PIPELINING', 'STARTTLS'],
    idleMs: 1000,
    behaviours,
  }
}

export function openTalk(row: IspRow, dice: () => number = () => 0) {
  const isp = openIsp(row)
  const domain = row.domains[0]?.domain ?? TEST_DOMAIN
  const stored: Mail[] = []
  const voided: Mail[] = []
  const clock = { now: 1_000_000 }
  let last = 0
  function hear(event: SmtpEvent): Received {
    const received = receive(isp, event, { now: clock.now, dice })
    if (received.stored !== null) stored.push(received.stored)
    voided.push(...(received.answer.voids ?? []))
    return received
  }
  const code = ({ answer }: Received): number | Answer['then'] => answer.reply?.code ?? (answer.then === 'stay' ? 'stay' : answer.then)
  return {
    isp,
    stored,
    voided,
    clock,
    hear,
    /** connects, says EHLO; `greeting` is the code of the greeting, or what was done instead */
    session(source = '192.0.2.1') {
      last += 1
      const session = last
      const opened = hear({ on: 'connect', session, source, host: row.hosts[0] ?? '' })
      hear({ on: 'ehlo', session, name: 'sender.example' })
      const at = (local: string): string => (local.includes('@') ? local : `${local}@${domain}`)
      const say = (event: SmtpEvent): number | Answer['then'] => code(hear(event))
      const one = {
        id: session,
        greeting: code(opened),
        opened,
        mail: (arrived: Arrived = 'alone', sizeBytes = 0) => say({ on: 'mail', session, from: 'return@sender.example', sizeBytes, arrived }),
        rcpt: (local: string, arrived: Arrived = 'alone') => say({ on: 'rcpt', session, to: at(local), arrived }),
        data: (arrived: Arrived = 'alone') => say({ on: 'data', session, arrived }),
        dot: (messageId: string) => say({ on: 'dot', session, messageId, sizeBytes: 1000 }),
        on: (on: 'starttls' | 'tls' | 'rset' | 'noop' | 'quit' | 'other' | 'idle' | 'closed') => say({ on, session }),
        /** a whole mail; the codes of MAIL, RCPT, DATA and the dot, up to the first refusal, after which it says RSET */
        send(local: string, messageId = `<${local}>`) {
          const codes: (number | Answer['then'])[] = []
          for (const step of [() => one.mail(), () => one.rcpt(local), () => one.data(), () => one.dot(messageId)]) {
            const said = step()
            codes.push(said)
            if (typeof said !== 'number' || said >= 400) break
          }
          if (codes.length < 4 || codes[3] !== 250) one.on('rset')
          return codes
        },
      }
      return one
    },
  }
}
