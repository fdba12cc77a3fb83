import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import type { Report, ReportAnswer, Reports } from '../../protocol/messages/permission.ts'
import { type Asked, ReportPost } from './report-post.ts'

const report = (sender = 's1') => ({ sender, tick: 1, sessionsFree: 5, leases: [] }) satisfies Report
const answerOf = (shard: string): ReportAnswer => ({ epoch: 3, tick: 1, renew: [], end: [`of ${shard}`] })
const OWNERS: Record<string, string> = { t00: 'r1', t01: 'r1', t02: 'r1', google: 'r2' }

/** Router processes: one that reads many reports of a message owns what `owns` says; each shard of OWNERS is also asked for by itself. */
function post({ many, owns = Object.keys(OWNERS) }: { many: Asked['kind']; owns?: readonly string[] }) {
  const said: string[] = []
  const sent = new ReportPost({
    ownerOf: (shard) => OWNERS[shard] ?? null,
    async ask(on, body) {
      said.push(on)
      const [, name = '', what] = on.split('.')
      if (what === 'report') return { kind: 'answer', body: encode(answerOf(name)) }
      if (many !== 'answer') return { kind: many }
      const answers = decode<Reports>(body).reports.map(({ shard }) => (owns.includes(shard) ? answerOf(shard) : null))
      return { kind: 'answer', body: encode({ answers }) }
    },
  })
  const all = (shards: readonly string[]) =>
    Promise.all(shards.map(async (shard) => sent.send(shard, report()).then((told) => (told.kind === 'answer' ? told.answer.end[0] : told.kind))))
  return { sent, said, all }
}

describe('reports of one turn', () => {
  it('go to a router process in one message, and each has its own answer', async () => {
    const { said, all } = post({ many: 'answer' })
    expect(await all(['t00', 'google', 't01'])).toEqual(['of t00', 'of google', 'of t01'])
    expect(said).toEqual(['router.r1.reports', 'router.google.report'])
  })

  it('are asked for one by one where the owner is not known, is gone, or reads no others', async () => {
    const unowned = post({ many: 'answer' })
    expect(await unowned.all(['x1', 'x2'])).toEqual(['of x1', 'of x2'])
    expect(unowned.said).toEqual(['router.x1.report', 'router.x2.report'])
    for (const kind of ['nobody', 'ended'] as const) {
      const { said, all } = post({ many: kind })
      expect(await all(['t00', 't01'])).toEqual(['of t00', 'of t01'])
      expect(said).toEqual(['router.r1.reports', 'router.t00.report', 'router.t01.report'])
    }
  })

  it('were perhaps heard when nobody answers in time: none is said twice', async () => {
    const { said, all } = post({ many: 'timeout' })
    expect(await all(['t00', 't01'])).toEqual(['unheard', 'unheard'])
    expect(said).toEqual(['router.r1.reports'])
  })

  it('of a shard that has moved are unheard, the others are answered', async () => {
    const { all } = post({ many: 'answer', owns: ['t00', 't02'] })
    expect(await all(['t00', 't01', 't02'])).toEqual(['of t00', 'unheard', 'of t02'])
  })

  it('leave at once when they are the last', async () => {
    const { sent, said } = post({ many: 'answer' })
    const told = [sent.send('t00', report()), sent.send('t01', report())]
    sent.leave()
    expect(said).toEqual(['router.r1.reports'])
    await Promise.all(told)
    expect(said).toHaveLength(1)
  })
})
