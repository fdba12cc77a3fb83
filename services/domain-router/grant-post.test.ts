import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../protocol/codec.ts'
import type { Grant, GrantAnswer, Grants } from '../../protocol/messages/permission.ts'
import { type Asked, GrantPost } from './grant-post.ts'

const grant = (id: string) => ({ lease: { id }, tick: 1, orders: [] }) as unknown as Grant

function post(answer: (sender: string, grants: readonly Grant[]) => Asked, many: readonly string[]) {
  const messages: [string, number][] = []
  const sent = new GrantPost({
    takesMany: (sender) => many.includes(sender),
    async ask(sender, body) {
      const said = decode<Grant | Grants>(body)
      const grants = 'grants' in said ? said.grants : [said]
      messages.push([sender, grants.length])
      return answer(sender, grants)
    },
  })
  return { sent, messages }
}
const each = (grants: readonly Grant[]): GrantAnswer[] =>
  grants.map(({ lease: { id } }) => (id.startsWith('full') ? { kind: 'refused', because: 'no-room' } : { kind: 'accepted' }))
const answered = (grants: readonly Grant[]): Asked => {
  const answers = each(grants)
  return { kind: 'answer', body: encode(answers.length === 1 ? answers[0] : { answers }) }
}

describe('grants of one turn', () => {
  it('go to a sender in one message, and each has its own answer', async () => {
    const { sent, messages } = post((_, grants) => answered(grants), ['new'])
    const answers = await Promise.all(['a', 'full', 'b'].map((id) => sent.send('new', grant(id))))
    expect(answers.map((one) => one?.kind)).toEqual(['accepted', 'refused', 'accepted'])
    expect(await sent.send('new', grant('later'))).toEqual({ kind: 'accepted' })
    expect(messages).toEqual([
      ['new', 3],
      ['new', 1],
    ])
  })

  it('go one by one to a sender that reads no others', async () => {
    const { sent, messages } = post((_, grants) => answered(grants), [])
    await Promise.all(['a', 'b'].map((id) => sent.send('old', grant(id))))
    expect(messages).toEqual([
      ['old', 1],
      ['old', 1],
    ])
  })

  it('are all unanswered, or all unheard, together', async () => {
    const { sent } = post((sender) => ({ kind: sender === 'silent' ? 'timeout' : 'nobody' }), ['silent', 'gone'])
    expect(await Promise.all(['a', 'b'].map((id) => sent.send('silent', grant(id))))).toEqual([null, null])
    expect((await Promise.all(['a', 'b'].map((id) => sent.send('gone', grant(id))))).map((one) => one?.kind)).toEqual(['refused', 'refused'])
  })
})
