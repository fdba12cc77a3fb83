import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sessionCap } from './limits.ts'
import { openTalk, rowWith } from './talk.testkit.ts'
import { designOfWord, wordOf } from './words.ts'

const attempts = (local: string, n: number): readonly unknown[] => {
  const talk = openTalk(rowWith())
  return Array.from({ length: n }, () => talk.session().send(local).at(-1))
}

describe('address words', () => {
  it.each([
    ['ok', [250]],
    ['ok+123', [250]],
    ['defer-451-x2', [451, 451, 250]],
    ['defer-452', [452, 452]],
    ['defer-421-x1', [421, 250]],
    ['refuse-550', [550, 550]],
    ['refuse-554-at-dot', [554, 554]],
    ['defer-451-x1-at-data', [451, 250]],
    ['drop-at-rcpt', ['cut', 250]],
    ['drop-after-dot-x2', ['cut', 'cut', 250]],
    ['silent', ['stay', 'stay']],
    ['say-google-dkim-x1', [421, 250]],
    ['say-outlook-s3150', [550]],
    ['defer-nonsense', [250]],
  ] as const)('%s@ is answered %j', (local, codes) => {
    expect(attempts(local, codes.length)).toEqual(codes)
  })

  it('drop-in-data@ says 354 and cuts in the body, once', () => {
    const talk = openTalk(rowWith())
    const then = (): string => {
      const session = talk.session()
      session.mail()
      session.rcpt('drop-in-data')
      return talk.hear({ on: 'data', session: session.id, arrived: 'alone' }).answer.then
    }
    expect([then(), then()]).toEqual(['cut-in-body', 'read-body'])
    expect(talk.stored).toEqual([])
  })

  it('drop-after-dot@ and silent@ leave the mail at the far end', () => {
    const talk = openTalk(rowWith())
    talk.session().send('drop-after-dot')
    talk.session().send('silent')
    expect(talk.stored.map(({ rcpts }) => rcpts[0])).toEqual(['drop-after-dot@test.example', 'silent@test.example'])
  })

  it('slow-5s@ waits before the reply to the dot', () => {
    const talk = openTalk(rowWith())
    const session = talk.session()
    session.mail()
    session.rcpt('slow-5s')
    session.data()
    expect(talk.hear({ on: 'dot', session: session.id, messageId: '<1>', sizeBytes: 1 }).waitMs).toBe(5000)
  })

  it('grey-2s@ is greylisted for two seconds', () => {
    const talk = openTalk(rowWith())
    expect(talk.session().send('grey-2s')[1]).toBe(450)
    talk.clock.now += 2000
    expect(talk.session().send('grey-2s')[1]).toBe(250)
  })

  it('counts attempts by return path and recipient, so ok+1@ and ok+2@ do not share theirs', () => {
    const talk = openTalk(rowWith())
    expect(talk.session().send('defer-451-x1+a')[1]).toBe(451)
    expect(talk.session().send('defer-451-x1+b')[1]).toBe(451)
    expect(talk.session().send('defer-451-x1+a')[1]).toBe(250)
  })

  it('meet-session-cap@ is answered once as the row would refuse, and counts as that behaviour met', () => {
    const talk = openTalk(rowWith(sessionCap(9)))
    const session = talk.session()
    session.mail()
    const { answer, met } = talk.hear({ on: 'rcpt', session: session.id, to: 'meet-session-cap@test.example', arrived: 'alone' })
    expect([answer.reply?.code, answer.excess, met]).toEqual([421, undefined, ['session-cap']])
    expect(talk.session().send('meet-session-cap').at(-1)).toBe(250)
  })

  it('a word for a recipient that ends undelivered says so by design, every other ends delivered', () => {
    const ends = (local: string): string => designOfWord(wordOf(local)).end
    expect(['refuse-550', 'unknown', 'say-spam'].map(ends)).toEqual(['refused', 'refused', 'refused'])
    expect(['full', 'defer-451', 'say-google-rate'].map(ends)).toEqual(['never', 'never', 'never'])
    expect(['ok', 'taro', 'defer-451-x3', 'drop-in-data', 'slow-5s', 'grey-60s', 'silent', 'meet-mail-rate'].map(ends)).toEqual(Array(8).fill('delivered'))
  })

  it('refuse-550-x1@ is refused by design although a second attempt would be taken: a 5xx ends it', () => {
    expect(designOfWord(wordOf('refuse-550-x1')).end).toBe('refused')
  })

  it('never takes an ordinary name for a word', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,8}\.[a-z]{2,8}[0-9]{0,4}$/), (local) => {
        expect(wordOf(local)).toBeNull()
      }),
    )
  })
})
