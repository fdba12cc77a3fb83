import { describe, expect, it } from 'vitest'
import { PROVIDERS } from './isps.ts'
import { isVanityHost, tail, TAIL_DOMAINS } from './tail.ts'

describe('the rows', () => {
  it('name every domain once and every MX host once', () => {
    const rows = [...PROVIDERS, ...tail()]
    const domains = rows.flatMap((row) => row.domains.map(({ domain }) => domain))
    const hosts = rows.flatMap((row) => [...row.hosts, ...(row.vanity ?? [])])
    expect(new Set(domains).size).toBe(domains.length)
    expect(new Set(hosts).size).toBe(hosts.length)
  })

  it('have no MX that leads nowhere', () => {
    for (const row of [...PROVIDERS, ...tail()]) {
      const known = new Set([...row.hosts, ...(row.vanity ?? [])])
      for (const { mx } of row.domains) for (const [, host] of mx) expect(known).toContain(host)
    }
  })

  it('hold 300 small domains on 30 hosts, 100 of them with an MX of their own name', () => {
    const boxes = tail().filter(({ name }) => name.startsWith('box-'))
    const domains = boxes.flatMap((box) => box.domains)
    expect([boxes.length, domains.length]).toEqual([30, TAIL_DOMAINS])
    expect(domains.filter(({ domain, mx }) => mx[0]?.[1] === `mx.${domain}`)).toHaveLength(100)
    expect(boxes.filter((_, n) => isVanityHost(n))).toHaveLength(10)
  })

  it('have every behaviour there is in at least one row', () => {
    const there = new Set([...PROVIDERS, ...tail()].flatMap((row) => row.behaviours.map(({ name }) => name)))
    expect([...there].sort()).toEqual([
      'ahead-accepted',
      'ahead-refused',
      'connect-rate',
      'data-regardless',
      'drop-at-connect',
      'drop-in-data',
      'greeting-refused',
      'greylist',
      'mail-rate',
      'mailbox-full',
      'mails-per-session',
      'no-pipelining',
      'no-tls',
      'rcpts-per-mail',
      'refused-per-session',
      'reputation',
      'session-cap',
      'session-rcpt-trap',
      'silence-after-dot',
      'silent-close',
      'size-limit',
      'slow-dot',
      'slow-greeting',
      'tarpit',
      'tls',
      'tls-broken',
      'tls-required',
      'unknown-user',
    ])
  })

  it('offer STARTTLS exactly where a TLS behaviour stands, and PIPELINING unless they refuse it', () => {
    for (const { name, ehlo, behaviours } of [...PROVIDERS, ...tail()]) {
      const has = (one: string): boolean => behaviours.some((behaviour) => behaviour.name === one)
      expect([name, ehlo.includes('STARTTLS')]).toEqual([name, has('tls') || has('tls-broken')])
      if (has('no-pipelining')) expect([name, ehlo.includes('PIPELINING')]).toEqual([name, false])
    }
  })
})
