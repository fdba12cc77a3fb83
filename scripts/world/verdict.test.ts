import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { designer } from './design.ts'
import { PROVIDERS } from './models/isps.ts'
import { tail } from './models/tail.ts'
import type { Arrival } from './record.ts'
import { judge } from './verdict.ts'

const designOf = designer([...PROVIDERS, ...tail()])
const arrival = (messageId: string, count = 1, unanswered = 0): Arrival => ({
  messageId,
  isp: 'google',
  from: 'b@bounce.acme.example',
  host: 'mx',
  tls: 'plain',
  source: '127.0.1.1',
  at: 0,
  count,
  unanswered,
})
const list = (...addresses: readonly string[]) => [{ campaign: 'spring', addresses }]

describe('the verdict', () => {
  it('is content when everybody has exactly one mail', () => {
    expect(judge(new Map([['ok@gmail.com', [arrival('<1>')]]]), list('ok@gmail.com'), designOf)).toMatchObject({
      ok: true,
      expected: 1,
      delivered: 1,
      lost: 0,
      doubled: 0,
    })
  })

  it('names who is lost', () => {
    const verdict = judge(new Map(), list('ok@gmail.com'), designOf)
    expect(verdict).toMatchObject({ ok: false, lost: 1, lostSamples: [{ rcpt: 'ok@gmail.com', campaigns: ['spring'], design: 'ok' }] })
  })

  it('names who got the same mail twice, and says whether silence explains it', () => {
    const farEnd = new Map([
      ['ok@gmail.com', [arrival('<1>', 2)]],
      ['silent@gmail.com', [arrival('<2>', 2, 1)]],
    ])
    const verdict = judge(farEnd, list('ok@gmail.com', 'silent@gmail.com'), designOf)
    expect(verdict).toMatchObject({ ok: false, doubled: 2, doubledAfterSilence: 1 })
    expect(verdict.doubledSamples.map(({ rcpt }) => rcpt)).toEqual(['ok@gmail.com', 'silent@gmail.com'])
  })

  it('names mails that nobody published: another Message-ID for the same recipient, or a stranger', () => {
    const farEnd = new Map([
      ['ok@gmail.com', [arrival('<1>'), arrival('<2>')]],
      ['who@gmail.com', [arrival('<3>')]],
    ])
    expect(judge(farEnd, list('ok@gmail.com'), designOf)).toMatchObject({ ok: false, lost: 0, doubled: 0, unpublished: 2 })
  })

  it('does not miss what by design cannot arrive, unless the sender claims it did', () => {
    const never = ['unknown@gmail.com', 'refuse-550@yahoo.com', 'full@docomo.ne.jp', 'a@null-mx.example', 'a@no-such-domain.example', 'a@servfail.example']
    expect(judge(new Map(), list(...never), designOf)).toMatchObject({ ok: true, expected: 0, notDeliverableByDesign: 6 })
    const claimed = judge(new Map(), [{ campaign: 'spring', addresses: never, claimed: ['unknown@gmail.com'] }], designOf)
    expect(claimed).toMatchObject({ ok: false, expected: 1, lost: 1, notDeliverableByDesign: 5 })
  })

  it('expects an address of two campaigns twice, and one listed twice in a campaign once', () => {
    const published = [
      { campaign: 'a', addresses: ['ok@gmail.com', 'ok@GMAIL.com'] },
      { campaign: 'b', addresses: ['ok@gmail.com'] },
    ]
    expect(judge(new Map([['ok@gmail.com', [arrival('<1>')]]]), published, designOf)).toMatchObject({ expected: 2, delivered: 1, lost: 1 })
    const undeduped = [{ campaign: 'a', addresses: ['ok@gmail.com', 'ok@gmail.com'], dedupe: 'none' as const }]
    expect(judge(new Map(), undeduped, designOf)).toMatchObject({ expected: 2, lost: 2 })
  })

  it('excuses who was suppressed or cancelled, whether the mail went out or not', () => {
    const published = [{ campaign: 'a', addresses: ['ok@gmail.com', 'ok@yahoo.com'], excused: ['ok@gmail.com', 'ok@yahoo.com'] }]
    expect(judge(new Map([['ok@yahoo.com', [arrival('<1>')]]]), published, designOf)).toMatchObject({ ok: true, expected: 0 })
  })

  it('loses what an ISP threw away again', () => {
    expect(judge(new Map([['ok@docomo.ne.jp', [arrival('<1>', 0)]]]), list('ok@docomo.ne.jp'), designOf)).toMatchObject({ lost: 1 })
  })

  it('always has expected = delivered + lost, and is ok exactly if published and far end are equal', () => {
    const rcpt = fc.constantFrom('a', 'b', 'c', 'd').map((local) => `${local}@gmail.com`)
    const far = fc.array(fc.tuple(rcpt, fc.constantFrom('<1>', '<2>')), { maxLength: 8 })
    fc.assert(
      fc.property(fc.uniqueArray(rcpt), fc.uniqueArray(rcpt), far, (one, two, copies) => {
        const farEnd = new Map<string, Arrival[]>()
        for (const [to, id] of copies) {
          const there = farEnd.get(to) ?? []
          const same = there.find(({ messageId }) => messageId === id)
          if (same === undefined) farEnd.set(to, [...there, arrival(id)])
          else same.count += 1
        }
        const verdict = judge(
          farEnd,
          [
            { campaign: 'one', addresses: one },
            { campaign: 'two', addresses: two },
          ],
          designOf,
        )
        expect(verdict.expected).toBe(verdict.delivered + verdict.lost)
        const wanted = (to: string): number => Number(one.includes(to)) + Number(two.includes(to))
        const equal = ['a', 'b', 'c', 'd']
          .map((local) => `${local}@gmail.com`)
          .every((to) => (farEnd.get(to) ?? []).length === wanted(to) && (farEnd.get(to) ?? []).every(({ count }) => count === 1))
        expect(verdict.ok).toBe(equal)
      }),
    )
  })
})
