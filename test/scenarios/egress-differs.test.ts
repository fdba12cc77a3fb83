/** EHLO replies often repeat our address: when it is not the one that SPF, PTR and reputation speak of, the IP says so. */
import { expect, it } from 'vitest'
import { until } from '../kit/bus.ts'
import { noticeTo } from '../kit/fleets.ts'
import { NOTHING_WRONG, people, startSourceLab } from '../kit/source-lab.ts'

const [TRUE, CLAIMED] = ['127.0.1.1', '203.0.113.7'] as const

it('tells of an IP that peers see from another address, and of no other', { timeout: 60_000 }, async () => {
  await using lab = await startSourceLab({
    ips: 2,
    rest: '5s',
    more: {
      pool: [{ name: 'straight' }, { name: 'behind-nat' }],
      ip: [
        { address: TRUE, pool: 'straight', ehlo: 'mx1.hato.example' },
        { address: CLAIMED, bind: '127.0.1.2', pool: 'behind-nat', ehlo: 'mx2.hato.example' },
      ],
    },
  })
  const list = ['gmail.com', 'yahoo.co.jp', 'docomo.ne.jp'].flatMap((domain) => people(20, 'seen-', domain))
  for (const pool of ['straight', 'behind-nat']) {
    await lab.cluster.publish('acme', noticeTo(pool, list, { pool }))
    await lab.cluster.until('acme', pool, ({ state }) => state === 'finished', 20_000)
    expect(await lab.accountOf('acme', pool, list)).toEqual(NOTHING_WRONG)
  }
  const counted = async () => Object.values((await lab.ip(CLAIMED)).isps).reduce((sum, { delivered }) => sum + delivered, 0)
  await until('the ip-manager has counted them too', async () => (await counted()) === list.length)
  expect(await lab.ip(CLAIMED)).toMatchObject({ mode: 'serving', because: 'egress-differs' })
  expect(await lab.ip(TRUE)).toMatchObject({ mode: 'serving', because: null })
})
