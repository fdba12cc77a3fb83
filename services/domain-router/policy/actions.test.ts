import { describe, expect, test } from 'vitest'
import { IspControl } from '../../../protocol/messages/ops.ts'
import { Desk, SITE, WALL } from './desk.testkit.ts'

function control(desk: Desk, body: object) {
  desk.tell({ on: 'ispControl', site: SITE, control: IspControl.parse(body) })
  return desk.take('answerControl').at(-1)?.answer
}

function status(desk: Desk) {
  desk.tell({ on: 'statusAsked', site: SITE })
  return desk.take('answerStatus').at(-1)?.sites[0]
}

describe('a person’s word on a site', () => {
  test('pauses it at once, for an hour unless said otherwise, is listed, saved first, and ends by itself', () => {
    const desk = new Desk()
    desk.arrive(desk.order())
    desk.allow()
    const [grant] = desk.accept()
    const answer = control(desk, { action: 'pause', by: 'taro' })
    expect(answer).toEqual({ ok: true, id: expect.stringMatching(/^pause-[a-z0-9]{6}$/), until: new Date(WALL + desk.mono + 3_600_000).toISOString() })
    expect(desk.take('save').at(-1)?.memory.actions).toMatchObject([{ site: SITE, action: 'pause', by: 'taro' }])
    expect(desk.report(grant as never).end).toEqual([grant?.lease.id])
    desk.arrive(desk.order())
    desk.pass(250)
    expect(desk.take('park')).toMatchObject([{ held: { seq: 2 }, because: 'resting' }])
    expect(status(desk)).toMatchObject({ resting: { because: 'paused' }, actions: [{ action: 'pause', by: 'taro' }] })

    desk.mono += 3_600_000
    desk.pass(250)
    expect(status(desk)?.actions).toEqual([])
    expect(desk.events()).toContainEqual(expect.objectContaining({ event: 'actionOver', action: 'pause' }))
  })

  test('limits sessions and the rate over all sources', () => {
    const desk = new Desk({
      sources: [
        { address: '192.0.2.1', pool: 'p' },
        { address: '192.0.2.2', pool: 'p' },
      ],
    })
    expect(control(desk, { action: 'limit', sessionsPerIp: 1, rate: 4, id: 'mine' })).toMatchObject({ ok: true, id: 'mine' })
    desk.arrive(...Array.from({ length: 12 }, () => desk.order({ count: 100 })))
    desk.allow()
    const grants = desk.accept()
    expect(grants.every(({ lease }) => lease.sessions === 1)).toBe(true)
    expect(grants.reduce((sum, { lease }) => sum + lease.pacePerS, 0)).toBeLessThanOrEqual(4)
    expect(control(desk, { action: 'clear', id: 'mine' })).toMatchObject({ ok: true })
    expect(status(desk)?.actions).toEqual([])
  })

  test('is refused in words when it cannot be', () => {
    const desk = new Desk()
    expect(control(desk, { action: 'limit' })).toMatchObject({ error: { code: 'bad-request', message: expect.stringContaining('sessionsPerIp') } })
    expect(control(desk, { action: 'resume', id: 'nothing' })).toMatchObject({ error: { code: 'unknown-action', message: expect.stringContaining('nothing') } })
    expect(desk.take('save')).toEqual([])
    expect(control(desk, { action: 'clear' })).toEqual({ ok: true, id: null, until: null })
  })

  test('ends the router’s own rests too', () => {
    const desk = new Desk()
    desk.arrive(desk.order({ count: 100 }), desk.order({ count: 100 }))
    desk.allow()
    const [grant] = desk.accept()
    desk.report(grant as never, { rest: { ms: 600_000, because: 'too-many-connections' } })
    const [rest] = status(desk)?.actions ?? []
    expect(rest).toMatchObject({ id: 'rest-192_0_2_1', action: 'rest', by: 'router: too-many-connections at 192.0.2.1' })
    expect(control(desk, { action: 'clear', id: rest?.id })).toMatchObject({ ok: true })
    expect(status(desk)).toMatchObject({ actions: [], resting: null })
  })

  test('and what was learnt outlive the owner', () => {
    const desk = new Desk()
    control(desk, { action: 'pause', for: '2h', id: 'mine' })
    desk.arrive(desk.order({ site: 'other.example', count: 100 }))
    desk.allow()
    const [grant] = desk.accept()
    desk.report(grant as never, { rest: { ms: 600_000, because: 'site-busy' } })
    desk.tell({ on: 'released' })
    const memory = desk.take('save').at(-1)?.memory
    const heir = new Desk()
    heir.tell({ on: 'gained', epoch: 8, memory: structuredClone(memory) ?? null })
    expect(status(heir)?.actions).toMatchObject([{ id: 'mine', action: 'pause' }])
    heir.arrive(heir.order({ site: 'other.example' }))
    heir.pass(1_200)
    heir.allow()
    expect(heir.take('park')).toMatchObject([{ because: 'site-busy' }])
  })
})
