import { describe, expect, it } from 'vitest'
import { behavioursMet, notMet } from './behaviours-met.ts'
import { type DemoRecipient, demoRecipients } from './demo-list.ts'
import { designer } from './design.ts'
import { seededDice } from './dice.ts'
import { receive, type Received } from './models/conversation.ts'
import type { SmtpEvent } from './models/event.ts'
import { openIsp, type IspRow } from './models/isp.ts'
import { PROVIDERS } from './models/isps.ts'
import { tail } from './models/tail.ts'
import { wordOf } from './models/words.ts'
import { plantAll } from './plant.ts'
import { openRecord, type WorldRecord } from './record.ts'
import { judge } from './verdict.ts'

/** A plain sender on virtual time: five sessions in turn, STARTTLS where offered, the next envelope behind the body after
 *  five mails of a session (plain again where that was refused), every 4xx but a full mailbox tried again, until all have their end. */
function sendAll(row: IspRow, recipients: readonly DemoRecipient[], record: WorldRecord): void {
  const isp = openIsp(row)
  const dice = seededDice(1)
  const queue = recipients.map(({ address }) => address)
  const open: { readonly id: number; mails: number }[] = []
  let now = 0,
    last = 0,
    learns: 'ahead' | 'plain' = 'ahead'
  const hear = (event: SmtpEvent): Received => {
    const received = receive(isp, event, { now, dice })
    record.heard(row.name, event, received, null, now)
    now += received.waitMs + 1
    return received
  }
  const fine = ({ answer }: Received): boolean => (answer.reply?.code ?? 500) < 400 && answer.then !== 'cut-in-body'
  const greet = (): void => {
    last += 1
    const id = last
    now += 50
    if (!fine(hear({ on: 'connect', session: id, source: '127.0.1.1', host: row.hosts[0] ?? '' }))) return
    hear({ on: 'ehlo', session: id, name: 'x' })
    if (row.ehlo.includes('STARTTLS') && hear({ on: 'starttls', session: id }).answer.then === 'start-tls') {
      hear({ on: 'tls', session: id })
      hear({ on: 'ehlo', session: id, name: 'x' })
    }
    open.push({ id, mails: 0 })
  }
  for (let steps = 0; queue.length > 0 && steps < 20_000; steps += 1) {
    if (open.length < 5) greet()
    const session = open.shift()
    const to = queue.shift()
    if (session === undefined || to === undefined) {
      if (to !== undefined) queue.unshift(to)
      continue
    }
    const piped = row.ehlo.includes('PIPELINING')
    const arrived = piped && session.mails >= 5 && learns === 'ahead' ? 'behind-dot' : 'alone'
    session.mails += 1
    const steps: readonly SmtpEvent[] = [
      { on: 'mail', session: session.id, from: 'b@acme.example', sizeBytes: 1000, arrived },
      { on: 'rcpt', session: session.id, to, arrived },
      { on: 'data', session: session.id, arrived },
      { on: 'dot', session: session.id, messageId: `<${to}>`, sizeBytes: 1000 },
    ]
    let refused: Received | null = null
    for (const event of steps) {
      const received = hear(event)
      if (fine(received)) continue
      refused ??= received
      if (!piped || received.answer.then !== 'stay' || event.on === 'data') break
    }
    if (refused !== null && refused.stored === null) {
      const { reply, because } = refused.answer
      if (because === 'ahead-refused') learns = 'plain'
      if (because !== 'mailbox-full' && ((reply?.code ?? 400) < 500 || ['ahead-refused', 'reputation', 'rcpts-per-mail', 'bad-sequence'].includes(because)))
        queue.push(to)
      now += 100
    }
    if (refused !== null) hear({ on: 'rset', session: session.id })
    if (isp.sessions.has(session.id)) open.push(session)
  }
}

describe('a demo list', () => {
  it('has as many distinct addresses as asked for, and the same ones for the same seed', () => {
    const list = demoRecipients(3000, 5)
    expect(new Set(list.map(({ address }) => address)).size).toBe(3000)
    expect(demoRecipients(3000, 5)).toEqual(list)
    expect(demoRecipients(3000, 6)).not.toEqual(list)
  })

  it('lets a plain sender meet every behaviour of every ISP, and loses and doubles nothing', () => {
    const rows = [...PROVIDERS, ...tail()]
    const list = demoRecipients(2000, 3)
    const record = openRecord({ keepBodies: 0, planted: plantAll([]) })
    for (const row of rows)
      sendAll(
        row,
        list.filter(({ isp }) => isp === row.name),
        record,
      )
    expect(notMet(behavioursMet(rows, record.isps))).toEqual([])
    // of the limits that a mannered sender keeps, the address words show all but those that are no reply to a RCPT
    const unseen = new Set(notMet(behavioursMet(rows, record.isps), ['excess']).map(([, name]) => name))
    expect([...unseen].sort()).toEqual(['session-rcpt-trap', 'size-limit', 'tls-required'])
    const published = [{ campaign: 'demo', addresses: list.map(({ address }) => address) }]
    expect(judge(record.rcpts, published, designer(rows))).toMatchObject({ lost: 0, doubled: 0, unpublished: 0 })
  })

  it('says how many it needs when there is no room for every behaviour', () => {
    expect(() => demoRecipients(10, 1)).toThrow(/needs at least \d+ recipients/)
  })

  it('leaves out what it is told to', () => {
    const list = demoRecipients(3000, 1, { without: ['reputation', 'greeting-refused'], never: 'leave-out' })
    expect(list.filter(({ design }) => design.end === 'never')).toEqual([])
    expect(list.filter(({ address }) => address.startsWith('meet-reputation'))).toEqual([])
    expect(list.filter(({ isp, address }) => isp === 'box-16' && wordOf(address.split('@')[0] ?? '') === null)).toEqual([])
  })

  it('has names that are ordinary, in two scripts', () => {
    const plain = demoRecipients(3000, 1).filter(({ design }) => design.why === 'plain')
    expect(plain.every(({ address }) => wordOf(address.split('@')[0] ?? '') === null)).toBe(true)
    expect(plain[0]?.name).toMatch(/^\p{Script=Han}+ /u)
  })
})
