import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import type { AllowanceAsk, AllowanceAsks, Allowances } from '../../protocol/messages/permission.ts'
import { AllowancePost } from './allowance-post.ts'
import type { Asked } from './grant-post.ts'

const ask = (shard: string, sites = 1): AllowanceAsk => ({
  shard,
  epoch: 1,
  router: 'r1',
  tick: 7,
  sites: Array.from({ length: sites }, (_, at) => ({ site: `d${at}.${shard}.example`, provider: null, pools: ['shared'] })),
})

/** An ip-manager: `reads` several questions of a message, is `silent`, or is of before there were such messages. */
function post() {
  const messages: string[][] = []
  const manager: { reads: boolean; silent: boolean } = { reads: true, silent: false }
  const answerTo = ({ tick, sites }: AllowanceAsk): Allowances => ({
    epoch: sites.length,
    tick,
    ms: 4_000,
    allowances: [],
    ...(manager.reads && { manyAsks: true }),
  })
  const sent = new AllowancePost({
    async ask(body): Promise<Asked> {
      const said = decode<AllowanceAsk | AllowanceAsks>(body)
      messages.push(('asks' in said ? said.asks : [said]).map(({ shard }) => shard))
      if (manager.silent) return { kind: 'timeout' }
      return { kind: 'answer', body: encode('asks' in said ? { answers: said.asks.map(answerTo) } : answerTo(said)) }
    },
  })
  return { sent, messages, manager, all: (...asks: AllowanceAsk[]) => Promise.all(asks.map((one) => sent.send(one).then((answer) => answer?.epoch ?? null))) }
}

describe('questions of one turn', () => {
  it('go in one message once the ip-manager has said that it reads several, and each has its own answer', async () => {
    const { messages, all } = post()
    expect(await all(ask('t00'), ask('t01', 2))).toEqual([1, 2])
    expect(await all(ask('t00', 3), ask('t01', 4), ask('t02', 5))).toEqual([3, 4, 5])
    expect(messages).toEqual([['t00'], ['t01'], ['t00', 't01', 't02']])
  })

  it('go one by one to an ip-manager that reads no others, and again after one that did fell silent', async () => {
    const { messages, manager, all } = post()
    await all(ask('t00'))
    manager.silent = true
    expect(await all(ask('t00'), ask('t01'))).toEqual([null, null])
    Object.assign(manager, { silent: false, reads: false })
    await all(ask('t00'), ask('t01'))
    await all(ask('t00'), ask('t01'))
    expect(messages).toEqual([['t00'], ['t00', 't01'], ['t00'], ['t01'], ['t00'], ['t01']])
  })

  it('are several messages where their answers would be large', async () => {
    const { messages, all } = post()
    await all(ask('t00'))
    await all(ask('t00', 60), ask('t01', 40), ask('t02', 30), ask('t03', 500), ask('t04'))
    expect(messages.slice(1)).toEqual([['t00', 't01'], ['t02'], ['t03'], ['t04']])
  })
})
