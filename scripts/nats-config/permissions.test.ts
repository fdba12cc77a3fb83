import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BUCKETS } from '../../protocol/buckets.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { listenerForm, type SubjectRow, SUBJECTS } from '../../protocol/subjects.ts'
import { covers } from './covers.testkit.ts'
import { ACCOUNT_INFO } from './jetstream.ts'
import { ACTOR_ROLES, actorPermissions, opsPermissions, type Permissions, type Rows } from './permissions.ts'
import { doorsOf, publisherPermissions } from './tenant-doors.ts'

const ROWS: readonly (readonly [string, SubjectRow])[] = Object.entries(SUBJECTS)
const mayPublish = ({ publish }: Permissions, subject: string) => publish.some((allowed) => covers(allowed, subject))
/** A subject as somebody would say it. */
const spoken = ({ on }: SubjectRow, params: Readonly<Record<string, string>> = {}) =>
  listenerForm(on, { ...params })
    .replaceAll('*', 'x1')
    .replaceAll('>', 'x1.x2')

describe('the table of subjects', () => {
  test.each(ROWS)('%s is said by somebody', (_, { says }) => {
    expect(says.length).toBeGreaterThan(0)
  })

  test.each(ROWS)('%s is heard by somebody, or lies in a stream that fires it by itself', (_, { hears, stream }) => {
    expect(hears.length > 0 || STREAMS.some(({ name, schedules }) => name === stream && schedules)).toBe(true)
  })

  test.each(ROWS)('%s lies in a stream exactly when it is stored', (_, { how, stream, on }) => {
    expect(how === 'jetstream').toBe(stream !== undefined)
    const capturing = STREAMS.filter(({ subjects }) => subjects.some((subject) => covers(subject, listenerForm(on)))).map(({ name }) => name)
    expect(capturing).toEqual(stream === undefined ? [] : [stream])
  })
})

describe('each role', () => {
  test.each(ACTOR_ROLES)('%s may say its rows, and no subject of another row', (role) => {
    const permissions = actorPermissions(role, ['acme'])
    for (const [name, row] of ROWS) expect([name, mayPublish(permissions, spoken(row))]).toEqual([name, row.says.includes(role)])
  })

  test.each(ACTOR_ROLES)('%s hears its rows and its own inboxes only', (role) => {
    const { subscribe } = actorPermissions(role, ['acme'])
    for (const [name, row] of ROWS) {
      const hears = subscribe.some((allowed) => covers(allowed, listenerForm(row.on)))
      expect([name, hears]).toEqual([name, row.hears.includes(role) && row.how !== 'jetstream'])
    }
    expect(subscribe.filter((subject) => subject.startsWith('_INBOX'))).toEqual([`_INBOX.${role}.>`])
  })

  test.each(ACTOR_ROLES)('%s reads, removes and writes what the tables say of streams and buckets', (role) => {
    const permissions = actorPermissions(role, [])
    for (const { name, removes } of STREAMS) {
      const hears = ROWS.some(([, row]) => row.stream === name && row.hears.includes(role))
      expect([name, mayPublish(permissions, `$JS.API.STREAM.MSG.GET.${name}`)]).toEqual([name, hears])
      expect([name, mayPublish(permissions, `$JS.API.STREAM.MSG.DELETE.${name}`)]).toEqual([name, (removes as readonly string[]).includes(role)])
    }
    for (const { name, reads, writes } of BUCKETS) {
      expect([name, mayPublish(permissions, `$JS.API.CONSUMER.CREATE.KV_${name}.x1`)]).toEqual([name, (reads as readonly string[]).includes(role)])
      expect([name, mayPublish(permissions, `$KV.${name}.any.key.at.all`)]).toEqual([name, false])
      for (const other of ACTOR_ROLES) {
        const own = (writes as Partial<Record<string, readonly string[]>>)[other] ?? []
        if (other !== role) for (const key of own) expect([key, mayPublish(permissions, `$KV.${name}.${key.replaceAll('*', 'x1')}`)]).toEqual([key, false])
      }
    }
  })

  test('makes, changes or empties no stream', () => {
    for (const role of ACTOR_ROLES)
      for (const verb of ['CREATE', 'UPDATE', 'DELETE', 'PURGE']) expect(mayPublish(actorPermissions(role, []), `$JS.API.STREAM.${verb}.OUTCOMES`)).toBe(false)
  })

  test('ops may say every public row that names it and nothing that only actors say', () => {
    for (const [name, row] of ROWS) expect([name, mayPublish(opsPermissions(), spoken(row))]).toEqual([name, row.says.includes('ops')])
    for (const [name, row] of ROWS) if (row.public && !row.says.includes('ops')) expect([name, row.hears]).toEqual([name, expect.arrayContaining(['ops'])])
  })
})

describe("a tenant's programs", () => {
  const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)

  test('may say their rows with their own name, never with another', () => {
    fc.assert(
      fc.property(id, id, (tenant, other) => {
        fc.pre(tenant !== other)
        const permissions = publisherPermissions(doorsOf(tenant))
        for (const [name, row] of ROWS) {
          expect([name, mayPublish(permissions, spoken(row, { tenant }))]).toEqual([name, row.says.includes('publisher')])
          expect([name, mayPublish(permissions, spoken(row, { tenant: other }))]).toEqual([name, false])
        }
      }),
      { numRuns: 50 },
    )
  })

  test("share no door but the account's figures, make no consumer, and read no stream by sequence", () => {
    fc.assert(
      fc.property(id, id, (tenant, other) => {
        fc.pre(tenant !== other)
        const [own, foreign] = [doorsOf(tenant), doorsOf(other)].map((doors) => doors.map(({ subject }) => subject))
        expect(own?.filter((subject) => foreign?.some((there) => covers(subject, there) || covers(there, subject)))).toEqual([ACCOUNT_INFO])
        for (const through of own ?? []) {
          expect(through).not.toMatch(/^\$JS\.API\.(CONSUMER\.(CREATE|DURABLE|DELETE|LIST|NAMES)|STREAM\.(CREATE|UPDATE|DELETE|LIST|NAMES))/)
          if (/^\$JS\.API\.(STREAM\.|DIRECT\.GET)/.test(through)) expect(through).toMatch(new RegExp(`OBJ_hato-${tenant}(\\.>)?$|\\.${tenant}\\.`))
        }
      }),
      // names that end in "-" and another's, and names that are words of a subject: each was once taken for a hole by this test itself
      {
        numRuns: 50,
        examples: [
          ['--', '-'],
          ['a-b', 'b'],
          ['acme', 'C'],
          ['acme', 'API'],
          ['STREAM', 'GET'],
        ],
      },
    )
  })

  test('a row that lets a publisher speak without naming its tenant is refused', () => {
    const rows: Rows = { ...SUBJECTS, planted: { on: 'planted.{thing}', how: 'core', says: ['publisher'], hears: ['scheduler'], what: 'a hole' } }
    expect(() => doorsOf('acme', rows)).toThrow('does not name the tenant')
  })
})

test('a row is enforced as soon as it stands in the table', () => {
  const rows: Rows = {
    ...SUBJECTS,
    planted: { on: 'planted.{tenant}.{x}', how: 'request', says: ['publisher', 'sender'], hears: ['scheduler'], what: 'a question' },
  }
  expect(mayPublish(actorPermissions('sender', [], rows), 'planted.a.b')).toBe(true)
  expect(mayPublish(actorPermissions('domain-router', [], rows), 'planted.a.b')).toBe(false)
  expect(actorPermissions('scheduler', [], rows).subscribe).toContain('planted.*.*')
  expect(publisherPermissions(doorsOf('acme', rows)).publish).toContain('planted.acme.*')
})
