import { describe, expect, test } from 'vitest'
import { Desk, SITE, WALL } from './desk.testkit.ts'

const HOUR_MS = 3_600_000
const blamed = { senderRests: [{ from: 'acme.example', ms: HOUR_MS, because: 'reputation' as const }], lastReply: '421 4.7.28 your DKIM domain' }

function lent(): { readonly desk: Desk; readonly grant: ReturnType<Desk['accept']>[number] } {
  const desk = new Desk()
  desk.arrive(desk.order({ from: 'acme.example' }))
  desk.allow()
  const [grant] = desk.accept()
  if (grant === undefined) throw new Error('nothing was granted')
  return { desk, grant }
}

describe('a reply that blames the sender', () => {
  test('rests that From domain at the site: its orders wait in the schedule, others are handed out as before, no source rests', () => {
    const { desk, grant } = lent()
    const answer = desk.report(grant, blamed)
    expect(answer.senderRests).toEqual([{ site: SITE, from: 'acme.example', ms: HOUR_MS, because: 'reputation' }])
    expect(answer.end).toEqual([])
    desk.arrive(...['acme.example', 'other.example', 'third.example'].map((from) => desk.order({ from, count: 1 })))
    desk.pass(250)
    expect(desk.accept().flatMap(({ orders }) => orders.map(({ seq }) => seq))).toEqual([3, 4])
    expect(desk.take('park')).toMatchObject([{ held: { seq: 2 }, because: 'reputation' }])
    desk.tell({ on: 'statusAsked', site: SITE })
    expect(desk.take('answerStatus')[0]?.sites[0]).toMatchObject({ resting: null })
  })

  test('is told to the scheduler, which releases nothing of it meanwhile, and ends by itself', () => {
    const { desk, grant } = lent()
    desk.report(grant, blamed)
    const until = WALL + desk.mono + HOUR_MS
    desk.pass(500)
    expect(desk.take('drain').at(-1)?.drain.sites).toMatchObject([
      { site: SITE, resting: null, restingSenders: [{ from: 'acme.example', because: 'reputation', until }] },
    ])
    desk.report(grant, { closed: true, open: 0, ended: [1] })
    for (let minute = 0; minute < 61; minute++) desk.pass(60_000)
    desk.arrive(desk.order({ from: 'acme.example' }))
    desk.allow()
    expect(desk.accept()).toHaveLength(1)
  })

  test('is one line in the log, though a whole lease is told the same, and a shorter word does not end a longer one', () => {
    const { desk, grant } = lent()
    desk.report(grant, blamed)
    desk.pass(250)
    desk.report(grant, blamed)
    desk.report(grant, { senderRests: [{ from: 'acme.example', ms: 1_000, because: 'reputation' }] })
    expect(desk.events().filter(({ event }) => event === 'senderRested')).toHaveLength(1)
    expect(desk.shard.sites.get(SITE)?.senderRests.get('acme.example')?.until).toBeGreaterThan(WALL + HOUR_MS)
  })
})

test('a site that refuses everybody alike rests as a whole, for as long as its row says, though one source alone was told so', () => {
  const desk = new Desk({
    sources: [
      { address: '192.0.2.1', pool: 'p' },
      { address: '192.0.2.2', pool: 'p' },
    ],
  })
  desk.arrive(...Array.from({ length: 8 }, () => desk.order({ count: 100 })))
  desk.allow()
  const [first] = desk.accept()
  desk.report(first as never, { rest: { ms: 1_000, because: 'site-busy', whole: true }, lastReply: '550 5.2.1 disabled' })
  expect(desk.shard.sites.get(SITE)?.rest).toEqual({ because: 'site-busy', until: WALL + desk.mono + 300_000 })
})
