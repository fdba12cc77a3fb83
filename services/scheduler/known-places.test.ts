import { describe, expect, it } from 'vitest'
import { KnownPlaces } from './known-places.ts'
import type { Place, Sites } from './sites.ts'

const site = (name: string): Place => ({ kind: 'site', site: name, provider: null, shard: 't01' })

function asked(answer: (domain: string, times: number) => Place = site) {
  const times = new Map<string, number>()
  const sites: Pick<Sites, 'of'> = {
    async of(domain) {
      times.set(domain, (times.get(domain) ?? 0) + 1)
      return answer(domain, times.get(domain) as number)
    },
  }
  let nowMs = 0
  const places = new KnownPlaces(sites, () => nowMs)
  return { places, total: () => [...times.values()].reduce((sum, one) => sum + one, 0), pass: (ms: number) => (nowMs += ms) }
}

const round = (domains: number, from = 0) => Array.from({ length: domains }, (_, at) => `somebody@d${from + at}.example`)

async function inPieces(places: KnownPlaces, addresses: readonly string[]) {
  for (let at = 0; at < addresses.length; at += 2_000) await places.lookUp(addresses.slice(at, at + 2_000))
}

describe('places that are known', () => {
  it.each([10, 10_000, 20_000, 30_000])('a list that goes through %i domains in turn asks once for each of them', async (domains) => {
    const { places, total } = asked()
    for (let turn = 0; turn < 5; turn++) await inPieces(places, round(domains))
    expect(total()).toBeLessThan(2 * domains)
    expect(places.of('somebody@d7.example').site).toBe('d7.example')
  })

  it('keeps two generations at most, however many domains a list has', async () => {
    const { places } = asked()
    await inPieces(places, round(100_000))
    expect(places.of('somebody@d0.example').place).toBe('unknown')
    expect(places.of('somebody@d99999.example').place).toBe('site')
  })

  it('believes what DNS told for half a minute at most', async () => {
    const { places, pass } = asked((_, times) => site(times === 1 ? 'old' : 'new'))
    await places.lookUp(['a@d.example'])
    for (let s = 0; s < 30; s += 5) {
      pass(5_000)
      await places.lookUp(['a@d.example'])
    }
    expect(places.of('a@d.example').site).toBe('new')
  })

  it('asks again for a domain whose name servers did not answer', async () => {
    const { places } = asked((domain, times) => (times === 1 ? { kind: 'unknown', because: 'timeout', doubted: false } : site(domain)))
    await places.lookUp(['a@d.example'])
    expect(places.of('a@d.example').place).toBe('unknown')
    await places.lookUp(['a@d.example'])
    expect(places.of('A@D.example').site).toBe('d.example')
  })
})
