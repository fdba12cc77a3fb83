import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { a, aaaa, cname, encodeReply, SOA, startNameServer } from './name-server.fixture.ts'
import { createResolver } from './resolver.ts'

const NXDOMAIN = { rcode: 3, authorities: [SOA(60)] } as const

describe('asking', () => {
  it('tells records, TTL, rcode and AD', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [a(name, '192.0.2.1', 77), a(name, '192.0.2.2', 99)], ad: true }))
    await using resolver = createResolver({ servers: [server.at] })
    expect(await resolver.resolve('host.example', 'A')).toEqual({ rcode: 'NOERROR', records: ['192.0.2.1', '192.0.2.2'], ttlS: 77, ad: true, because: null })
  })

  it('repeats a query that was lost', async () => {
    await using server = await startNameServer(({ name, before }) => (before === 0 ? 'silence' : { answers: [a(name, '192.0.2.1')] }))
    await using resolver = createResolver({ servers: [server.at], timeoutMs: 30 })
    expect((await resolver.resolve('host.example', 'A')).records).toEqual(['192.0.2.1'])
    expect(server.asked).toHaveLength(2)
  })

  it('hears a late reply to the first of two repetitions', async () => {
    let late: (() => void) | null = null
    await using server = await startNameServer((asked, { send }) => {
      if (asked.before === 0) late = () => send(encodeReply(asked, { answers: [a(asked.name, '192.0.2.9')] }))
      else late?.()
      return 'silence'
    })
    await using resolver = createResolver({ servers: [server.at], timeoutMs: 30 })
    expect((await resolver.resolve('host.example', 'A')).records).toEqual(['192.0.2.9'])
  })

  it('asks again over TCP when the reply was cut, and believes only the whole one', async () => {
    const many = Array.from({ length: 200 }, (_, n) => a('big.example', `10.0.0.${n}`))
    await using server = await startNameServer(({ over }) => (over === 'udp' ? { truncated: true, answers: many.slice(0, 3) } : { answers: many }))
    await using resolver = createResolver({ servers: [server.at] })
    expect((await resolver.resolve('big.example', 'A')).records).toHaveLength(200)
    expect(server.asked.map(({ over }) => over)).toEqual(['udp', 'tcp'])
  })

  it('says TIMEOUT and why when nobody answers', async () => {
    await using server = await startNameServer(() => 'silence')
    await using resolver = createResolver({ servers: [server.at], timeoutMs: 10, tries: 2 })
    const answer = await resolver.resolve('host.example', 'MX')
    expect(answer).toMatchObject({ rcode: 'TIMEOUT', records: [], because: expect.stringContaining('no reply from 127.0.0.1') })
    expect(server.asked).toHaveLength(2)
  })

  it('goes to the second server at once when nobody listens on the first, and stays there', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
    const dead = await closedPort()
    await using resolver = createResolver({ servers: [`127.0.0.1:${dead}`, server.at], timeoutMs: 5_000 })
    const started = performance.now()
    expect((await resolver.resolve('one.example', 'A')).rcode).toBe('NOERROR')
    expect((await resolver.resolve('two.example', 'A')).rcode).toBe('NOERROR')
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('asks the second server when the first fails, and reports the failure when both do', async () => {
    await using failing = await startNameServer(() => ({ rcode: 2 }))
    await using other = await startNameServer(({ name }) => (name === 'good.example' ? { answers: [a(name, '192.0.2.1')] } : { rcode: 5 }))
    await using resolver = createResolver({ servers: [failing.at, other.at] })
    expect((await resolver.resolve('good.example', 'A')).rcode).toBe('NOERROR')
    expect((await resolver.resolve('bad.example', 'A')).rcode).toMatch(/SERVFAIL|REFUSED/)
  })

  it('drops EDNS0 for a server that does not know it', async () => {
    await using server = await startNameServer(({ name, edns }) => (edns ? { rcode: 1 } : { answers: [a(name, '192.0.2.1')] }))
    await using resolver = createResolver({ servers: [server.at] })
    expect((await resolver.resolve('old.example', 'A')).rcode).toBe('NOERROR')
  })

  it('resolves 1,000 names at once, answered out of order', async () => {
    const held: (() => void)[] = []
    await using server = await startNameServer((asked, { send }) => {
      const number = Number(asked.name.slice(1).split('.')[0])
      held.push(() => send(encodeReply(asked, { answers: [a(asked.name, `10.1.${number >> 8}.${number & 255}`)] })))
      if (held.length >= 50 || server.asked.length > 900) for (const release of held.splice(0).reverse()) release()
      return 'silence'
    })
    await using resolver = createResolver({ servers: [server.at], timeoutMs: 200, tries: 6 })
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, number) => resolver.resolve(`n${number}.example`, 'A')))
    expect(answers.map(({ records }) => records[0])).toEqual(Array.from({ length: 1_000 }, (_, number) => `10.1.${number >> 8}.${number & 255}`))
  })
})

describe('strangers', () => {
  it('ignores a reply with another id, to another question, or that is garbage', async () => {
    await using server = await startNameServer((asked, { send }) => {
      send(encodeReply({ ...asked, id: (asked.id + 1) & 0xffff }, { answers: [a(asked.name, '6.6.6.6')] }))
      send(encodeReply({ ...asked, name: 'other.example' }, { answers: [a('other.example', '6.6.6.6')] }))
      send(Buffer.from('not a packet at all, but longer than a header'))
      return { answers: [a(asked.name, '192.0.2.1')] }
    })
    await using resolver = createResolver({ servers: [server.at] })
    expect((await resolver.resolve('host.example', 'A')).records).toEqual(['192.0.2.1'])
  })

  it('ignores a perfect reply from another source', async () => {
    const stranger = createSocket('udp4')
    await using server = await startNameServer((asked, { peer }) => {
      if (peer === null) return 'silence'
      if (asked.before > 0) return { answers: [a(asked.name, '192.0.2.1')] }
      stranger.send(encodeReply(asked, { answers: [a(asked.name, '6.6.6.6')] }), peer.port, peer.address)
      return 'silence'
    })
    await using resolver = createResolver({ servers: [server.at], timeoutMs: 60 })
    expect((await resolver.resolve('host.example', 'A')).records).toEqual(['192.0.2.1'])
    stranger.close()
  })

  it('takes no record of a name that was not asked for', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [a('victim.example', '6.6.6.6'), a(name, '192.0.2.1')] }))
    await using resolver = createResolver({ servers: [server.at] })
    expect((await resolver.resolve('host.example', 'A')).records).toEqual(['192.0.2.1'])
  })
})

describe('memory', () => {
  it('believes an answer for its TTL by the given clock, and says what is left of it', async () => {
    let nowMs = 0
    await using server = await startNameServer(({ name }) => ({ answers: [a(name, '192.0.2.1', 100)] }))
    await using resolver = createResolver({ servers: [server.at], now: () => nowMs })
    await resolver.resolve('host.example', 'A')
    nowMs = 60_000
    expect((await resolver.resolve('HOST.example.', 'A')).ttlS).toBe(40)
    expect(server.asked).toHaveLength(1)
    nowMs = 100_001
    await resolver.resolve('host.example', 'A')
    expect(server.asked).toHaveLength(2)
  })

  it('remembers that a name does not exist for as long as its SOA says (RFC 2308)', async () => {
    let nowMs = 0
    await using server = await startNameServer(() => NXDOMAIN)
    await using resolver = createResolver({ servers: [server.at], now: () => nowMs })
    expect(await resolver.resolve('no.example', 'MX')).toMatchObject({ rcode: 'NXDOMAIN', ttlS: 60 })
    nowMs = 59_000
    await resolver.resolve('no.example', 'MX')
    expect(server.asked).toHaveLength(1)
    nowMs = 61_000
    await resolver.resolve('no.example', 'MX')
    expect(server.asked).toHaveLength(2)
  })

  it('believes SERVFAIL for a few seconds only', async () => {
    let nowMs = 0
    await using server = await startNameServer(({ name, before }) => (before === 0 ? { rcode: 2 } : { answers: [a(name, '192.0.2.1')] }))
    await using resolver = createResolver({ servers: [server.at], now: () => nowMs })
    expect((await resolver.resolve('host.example', 'A')).rcode).toBe('SERVFAIL')
    nowMs = 4_000
    expect((await resolver.resolve('host.example', 'A')).rcode).toBe('SERVFAIL')
    nowMs = 6_000
    expect((await resolver.resolve('host.example', 'A')).rcode).toBe('NOERROR')
  })

  it('asks once for many askers of the same name', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
    await using resolver = createResolver({ servers: [server.at] })
    await Promise.all(Array.from({ length: 50 }, () => resolver.resolve('host.example', 'A')))
    expect(server.asked).toHaveLength(1)
  })

  it('forgets what was used least when it is full', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
    await using resolver = createResolver({ servers: [server.at], cacheMax: 2 })
    for (const name of ['one', 'two', 'one', 'three', 'one', 'two']) await resolver.resolve(`${name}.example`, 'A')
    expect(server.asked.map(({ name }) => name)).toEqual(['one.example', 'two.example', 'three.example', 'two.example'])
  })
})

describe('aliases', () => {
  it('follows CNAMEs inside one reply and across replies, with the smallest TTL', async () => {
    await using server = await startNameServer(({ name }) =>
      name === 'www.example'
        ? { answers: [cname('www.example', 'web.example', 20), cname('web.example', 'far.example', 500)] }
        : { answers: [a('far.example', '192.0.2.1', 300)] },
    )
    await using resolver = createResolver({ servers: [server.at] })
    expect(await resolver.resolve('www.example', 'A')).toMatchObject({ records: ['192.0.2.1'], ttlS: 20 })
  })

  it('gives up on a circle', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [cname(name, name === 'x.example' ? 'y.example' : 'x.example')] }))
    await using resolver = createResolver({ servers: [server.at] })
    expect(await resolver.resolve('x.example', 'A')).toMatchObject({ rcode: 'SERVFAIL', because: expect.stringContaining('CNAMEs') })
  })
})

describe('other questions', () => {
  it('joins the strings of a TXT record', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [{ type: 'TXT', name, ttl: 60, data: ['v=DKIM1; p=AAA', 'BBB'] }] }))
    await using resolver = createResolver({ servers: [server.at] })
    expect((await resolver.txt('s1._domainkey.example')).records).toEqual(['v=DKIM1; p=AAABBB'])
  })

  it('asks for the reverse name of both families, and for nothing when it is no address', async () => {
    await using server = await startNameServer(({ name }) => ({ answers: [{ type: 'PTR', name, ttl: 60, data: 'MX7.hato.example' }] }))
    await using resolver = createResolver({ servers: [server.at] })
    expect((await resolver.ptr('203.0.113.7')).records).toEqual(['mx7.hato.example'])
    await resolver.ptr('2001:db8::1')
    expect((await resolver.ptr('mx7')).rcode).toBe('NXDOMAIN')
    expect(server.asked.map(({ name }) => name)).toEqual([
      '7.113.0.203.in-addr.arpa',
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    ])
  })

  it('lists addresses IPv4 first, and does without a family that fails', async () => {
    await using server = await startNameServer(({ name, type }) => {
      if (name === 'half.example') return type === 'A' ? { answers: [a(name, '192.0.2.1', 60)] } : { rcode: 2 }
      if (name === 'none.example') return { authorities: [SOA(60)] }
      if (name === 'broken.example') return { rcode: 2 }
      return type === 'A' ? { answers: [a(name, '192.0.2.2'), a(name, '192.0.2.1')] } : { answers: [aaaa(name, '2001:db8::1')] }
    })
    await using resolver = createResolver({ servers: [server.at] })
    expect(await resolver.addresses('host.example')).toEqual({ kind: 'addresses', addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'], ttlS: 300 })
    expect(await resolver.addresses('half.example')).toMatchObject({ kind: 'addresses', addresses: ['192.0.2.1'], ttlS: 60 })
    expect((await resolver.addresses('none.example')).kind).toBe('none')
    expect((await resolver.addresses('broken.example')).kind).toBe('tempfail')
    expect(await resolver.addresses('192.0.2.5')).toMatchObject({ addresses: ['192.0.2.5'] })
  })
})

describe('the end', () => {
  it('answers what is still open when it is closed, and asks nothing afterwards', async () => {
    await using server = await startNameServer(() => 'silence')
    const resolver = createResolver({ servers: [server.at] })
    const open = Array.from({ length: 400 }, (_, number) => resolver.resolve(`n${number}.example`, 'A'))
    await resolver[Symbol.asyncDispose]()
    expect((await Promise.all(open)).every(({ rcode, because }) => rcode === 'TIMEOUT' && because?.includes('closed'))).toBe(true)
    expect((await resolver.resolve('after.example', 'A')).rcode).toBe('TIMEOUT')
  })

  it('refuses a server that is no address', () => {
    expect(() => createResolver({ servers: ['dns.example:53'] })).toThrow('"dns.example:53" is not an address')
  })
})

async function closedPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
