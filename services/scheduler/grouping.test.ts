import { describe, expect, it } from 'vitest'
import type { ExpansionCursor } from '../../protocol/messages/mail.ts'
import { NOTHING_READ } from './campaigns.ts'
import { WindowOfGroups } from './grouping.ts'

const GOOGLE = { place: 'site', site: 'google', provider: 'google', shard: 'google' } as const
const SMALL = { place: 'site', site: 'example.jp', provider: null, shard: 't01' } as const

function cut(google: number, small: number) {
  const window = new WindowOfGroups(NOTHING_READ, 900)
  for (let at = 0; at < google; at++) window.add(GOOGLE, { address: `r${at}@gmail.com` }, at + 1)
  for (let at = 0; at < small; at++) window.add(SMALL, { address: `r${at}@example.jp` }, google + at + 1)
  let state = 1
  const { groups } = window.close(true, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  })
  const of = (site: string) => groups.filter((group) => group.site === site).map(({ recipients }) => recipients.map(({ address }) => address))
  return { google: of('google'), small: of('example.jp') }
}

/** Recipients of one window of a list that goes through so many sites in turn. */
function window(sites: number, start: ExpansionCursor): number {
  const open = new WindowOfGroups(start, 15_000)
  for (let at = 0; ; at++) {
    const place = { ...SMALL, site: `d${at % sites}.example` }
    if (open.isFullFor(place)) return open.close(false, null).cursor.recipients - start.recipients
    open.add(place, { address: `r${at}@d${at % sites}.example`, name: 'Hanako Yamada', vars: { plan: 'free' } }, at + 1)
  }
}

describe('windows', () => {
  it('grow from one that is soon there to the longest in two steps', () => {
    const first = window(20_000, NOTHING_READ)
    const second = window(20_000, { ...NOTHING_READ, recipients: first, batches: first })
    const third = window(20_000, { ...NOTHING_READ, recipients: first + second, batches: first + second })
    expect([first, second, third]).toEqual([200, 2_200, 15_000])
  })

  it('of one large site are short by recipients at first, and full by what they may hold at the third', () => {
    const first = window(1, NOTHING_READ)
    const second = window(1, { ...NOTHING_READ, recipients: first, batches: first / 100 })
    const third = window(1, { ...NOTHING_READ, recipients: first + second, batches: (first + second) / 100 })
    expect(first).toBe(6_000)
    expect(second).toBeGreaterThan(30_000)
    expect(third).toBe(second)
  })

  it('fill the batches that are open before they end for their recipients', () => {
    expect(window(55, NOTHING_READ)).toBe(2 * 55 * 100)
  })

  it('are longer in a tail of small sites, which the next one would cut again', () => {
    const start = { ...NOTHING_READ, recipients: 100_000, batches: 10_000 }
    expect(window(10_000, start)).toBeGreaterThan(1.25 * window(300, start))
  })
})

describe('batches of a window', () => {
  it('hold a large site in a random order, so that the first of them are a sample of all', () => {
    const { google, small } = cut(1_000, 90)
    expect(google.map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 100))
    expect(new Set(google.flat()).size).toBe(1_000)
    const first = google
      .slice(0, 3)
      .flat()
      .map((address) => Number(/\d+/.exec(address)?.[0]))
    expect(first.filter((n) => n >= 500).length, 'from the whole list').toBeGreaterThan(100)
    expect(small.flat()).toEqual(Array.from({ length: 90 }, (_, at) => `r${at}@example.jp`))
  })

  it("keep the list's order where a sample would be everybody", () => {
    expect(cut(250, 0).google.flat()).toEqual(Array.from({ length: 250 }, (_, at) => `r${at}@gmail.com`))
  })
})
