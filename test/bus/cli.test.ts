/** `hato` as a person calls it: campaigns, wrong input, the fleet, the doctor. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import type { Order } from '../../protocol/messages/mail.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import { bytes, gather, until } from '../kit/bus.ts'
import { cliForFile } from '../kit/cli-lab.ts'
import { noticeTo } from '../kit/fleets.ts'
import { hato as hatoAt, hatoProcess } from '../kit/hato.ts'
import { freePort, startNats } from '../kit/nats.ts'

const here = cliForFile()
const { hato, file, fleetFile } = here

describe('a campaign', () => {
  it('is sent, shown, paused, resumed and cancelled', { timeout: 60_000 }, async () => {
    const sent = await hato('send', await file('spring.json', noticeTo('spring', ['ok+1@gmail.com', 'ok@docomo.ne.jp'])))
    expect(sent).toMatchObject({
      code: 0,
      out: expect.stringContaining('accepted acme/spring'),
      err: expect.stringMatching(/published as message \d+ of stream JOBS/),
    })
    const again = await hato('send', join(here.folder, 'spring.json'), '--tenant', 'acme')
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('it runs once') })

    // Accepted is not yet read.
    await until('its list is read', async () => JSON.parse((await hato('status', 'acme/spring', '--json')).out).recipients === 2)
    expect(await hato('pause', 'acme/spring')).toMatchObject({ code: 0, out: expect.stringContaining('acme/spring is paused') })
    const shown = await hato('status', 'acme/spring')
    expect(shown).toMatchObject({ code: 0, err: '' })
    expect(shown.out).toMatch(/^acme\/spring {2}paused[\s\S]*0 of 2 recipients[\s\S]*0 delivered · 2 waiting/)
    expect(JSON.parse((await hato('status', 'acme/spring', '--json')).out)).toMatchObject({ state: 'paused', recipients: 2, waiting: 2 })
    expect(JSON.parse((await hato('resume', 'acme/spring', '--json')).out)).toMatchObject({ ok: true, state: 'running' })
    expect(await hato('cancel', 'acme/spring')).toMatchObject({ code: 0, out: expect.stringMatching(/acme\/spring is (cancelling|cancelled)/) })

    const types = (await hato('events', '--campaign', 'acme/spring')).out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(expect.arrayContaining(['accepted', 'paused', 'resumed']))
    expect((await hato('events', '--tenant', 'acme', '--since', '1h')).out).toContain('"id":"spring"')
    expect(await hato('events', '--tenant', 'nobody')).toEqual({ code: 0, out: '', err: '' })
  })

  it('reads its list from a file that is stored first, once', { timeout: 60_000 }, async () => {
    const list = await file('people.csv', 'address,name,ref\nok+3@gmail.com,太郎,r-1\nok+4@gmail.com,花子,r-2\n')
    const { recipients: _, ...campaign } = noticeTo('listed', []) as { id: string; recipients: unknown }
    const path = await file('listed.json', campaign)
    expect(await hato('send', path, '--list', list)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/stored .*people\.csv as object lists\/acme\/\S+\.csv, 69 B/),
    })
    expect(await hato('send', path, '--list', list)).toMatchObject({
      code: 0,
      out: expect.stringContaining('it runs once'),
      err: expect.stringContaining('already there:'),
    })
  })

  it('comes from standard input too, and Ctrl-C leaves it running', { timeout: 60_000 }, async () => {
    const campaign = JSON.stringify(noticeTo('piped', ['ok+9@gmail.com']))
    const followed = await hatoProcess({ HATO_NATS_URL: here.nats.url }, ['send', '-', '--follow'], {
      input: campaign,
      watch: (out) => (/0 of 1 recipient settled/.test(out) ? 'SIGINT' : null),
    })
    expect(followed).toMatchObject({ code: 130, err: expect.stringContaining('acme/piped goes on by itself; hato status acme/piped --follow looks again') })
    expect(JSON.parse((await hato('status', 'acme/piped', '--json')).out)).toMatchObject({ recipients: 1, waiting: 1 })
  })

  it('that is rejected is told with every problem', { timeout: 30_000 }, async () => {
    const path = await file('bad.json', noticeTo('bad', ['taro@@example.jp', 'ok@gmail.com', 'hanako'], { colour: 'red' }))
    const said = await hato('send', path)
    expect(said).toMatchObject({ code: 1, out: '' })
    expect(said.err).toContain('hato: acme: rejected campaign bad; nothing was queued, mend it and publish again under the same id')
    expect(said.err).toContain('  colour: unknown key')
    expect(said.err).toContain('  recipients[0].address: ')
    expect(said.err).toContain('  recipients[2].address: ')
    const json = await hato('send', path, '--json')
    const [event, error] = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(event).toMatchObject({ type: 'rejected', problems: expect.any(Array) })
    expect(error).toMatchObject({ error: { code: 'rejected', problems: expect.any(Array) } })
  })
})

describe('wrong input', () => {
  it.each<[string, () => Promise<readonly string[]> | readonly string[], number, string]>([
    ['an unknown command', () => ['sned', 'x'], 2, '"sned" is not a command; did you mean send?'],
    ['an unknown option', () => ['status', 'acme/spring', '--jsn'], 2, '--jsn is not an option; did you mean --json?'],
    ['half a campaign name', () => ['status', 'acme'], 2, '"acme" is not TENANT/ID'],
    ['an unknown campaign', () => ['status', 'acme/never'], 1, 'there is no campaign acme/never'],
    ['an unknown campaign to pause', () => ['pause', 'acme/never'], 1, 'there is no campaign acme/never'],
    ['a file that is not there', () => ['send', '/nowhere/x.json'], 1, '/nowhere/x.json cannot be read: no such file or directory'],
    ['a file that is no JSON', async () => ['send', await file('x.json', '{"id": ')], 1, 'x.json is not JSON: '],
    ['a file that is no campaign', async () => ['send', await file('x.json', '[1]')], 1, 'holds no campaign'],
    [
      'a tenant that is none',
      async () => ['send', await file('x.json', noticeTo('x', ['ok@gmail.com'])), '--tenant', 'no body'],
      2,
      '"no body" is not a tenant\'s name',
    ],
    ['an empty list', async () => ['send', await file('x.json', { id: 'x' }), '--tenant', 'acme', '--list', await file('l.csv', '')], 1, 'l.csv is empty'],
    [
      'two lists',
      async () => ['send', await file('x.json', noticeTo('x', ['a@b.example'])), '--list', await file('l.csv', 'address\n')],
      2,
      'the campaign has "recipients" already',
    ],
    ['an IP that is none', () => ['ip', 'quarantin'], 2, '"quarantin" is not an IP address; did you mean hato ip quarantine ADDRESS?'],
    ['an IP of nobody', () => ['ip', 'quarantine', '9.9.9.9'], 1, '"9.9.9.9" is not an IP of the fleet; there are 127.0.1.1, 127.0.1.2'],
    ['a limit of nothing', () => ['isp', 'limit', 'google'], 2, 'isp limit needs --sessions-per-ip N, --rate N, or both'],
    ['a duration that is none', () => ['isp', 'pause', 'google', '--for', 'tomorrow'], 2, '--for is "tomorrow", which is not a duration'],
    ['an actor that is not there', () => ['isp'], 69, 'no domain-router is there to answer isp.status'],
    ['a role that is none', () => ['run', 'schedular'], 2, '"schedular" is not a role; did you mean scheduler?'],
    ['an address that is none', () => ['suppress', 'add', 'acme', 'taro@@x'], 1, 'entries[0].address: "taro@@x" is not an address'],
    ['a fleet file that is not there', () => ['apply', '/nowhere/fleet.toml'], 78, '/nowhere/fleet.toml cannot be read: no such file or directory'],
    [
      'a fleet file with a typo',
      async () => ['apply', await file('f.toml', '[[tenant]]\nname = "a"\ndomains = ["a.example"]\nretrun_path = "b.a.example"\n')],
      78,
      'f.toml:4: tenant[0].retrun_path is not a key there; did you mean return_path?',
    ],
    [
      'feedback of nobody',
      async () => ['feedback', 'import', 'acme', await file('f.ndjson', '{"id":"1","kind":"bounce","at":"2026-11-24T00:00:00Z","source":"x"}\n')],
      1,
      'line 1: says of nobody',
    ],
  ])('%s', { timeout: 30_000 }, async (_, args, code, message) => {
    const said = await hato(...(await args()))
    expect(said.err).toContain(message)
    expect(said).toMatchObject({ code, out: '' })
  })

  it('NATS that is not there, or on which no cluster ever ran, or whose cluster has ended', { timeout: 60_000 }, async () => {
    const port = await freePort()
    const silent = await hatoProcess({ HATO_NATS_URL: `nats://127.0.0.1:${port}` }, ['status', 'acme/spring', '--json'])
    expect(silent).toMatchObject({ code: 69, err: expect.stringContaining(`NATS at nats://127.0.0.1:${port} (HATO_NATS_URL) does not answer`) })
    expect(JSON.parse(silent.out)).toMatchObject({ error: { code: 'no-nats' } })
    await using bare = await startNats()
    expect(await hatoAt(bare.url, 'events')).toMatchObject({ code: 69, err: expect.stringContaining('no Hato cluster has run on this NATS server yet') })
    expect(await hatoAt(bare.url, 'doctor')).toMatchObject({ code: 1, out: expect.stringContaining('✗ there is no stream of Hato') })
    expect(await hatoProcess({ HATO_DATA: here.folder }, ['fleet'])).toMatchObject({
      code: 69,
      err: expect.stringContaining(`no cluster runs on HATO_DATA=${here.folder}`),
    })
  })
})

describe('the fleet, IPs, suppression, feedback', () => {
  it('is shown without its keys, applied anew, and IPs obey', { timeout: 60_000 }, async () => {
    expect(await hato('fleet')).toMatchObject({ code: 0, out: expect.stringContaining('s1._domainkey.acme.example') })
    expect((await hato('fleet', '--json')).out).not.toContain('PRIVATE KEY')
    expect(await hato('ip')).toMatchObject({ code: 0, out: expect.stringMatching(/127\.0\.1\.1 +acme +serving/) })
    expect(await hato('ip', 'quarantine', '127.0.1.2', '--because', 'tried', '--for', '1h')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/127\.0\.1\.2 is quarantined until .* \(in (1 h|59 min)/),
    })
    expect(JSON.parse((await hato('ip', '127.0.1.2', '--json')).out)).toMatchObject({ ips: [{ mode: 'quarantined', because: 'tried' }] })
    expect(await hato('ip', 'release', '127.0.1.2')).toMatchObject({ code: 0, out: '127.0.1.2 is serving\n' })
    expect((await hato('events')).out).toMatch(/"address":"127\.0\.1\.2".*"to":"quarantined"/)
  })

  it('keeps who is suppressed, through files too', { timeout: 60_000 }, async () => {
    expect((await hato('suppress', 'add', 'acme', 'a@example.jp', 'b@example.jp', '--reason', 'complaint', '--of-list', 'news')).out).toBe(
      '2 addresses suppressed for acme\n',
    )
    expect((await hatoProcess({ HATO_NATS_URL: here.nats.url }, ['suppress', 'import', 'acme', '-'], { input: 'c@example.jp\nd@example.jp\n' })).out).toBe(
      '2 entries imported for acme\n',
    )
    const wrong = await hatoProcess({ HATO_NATS_URL: here.nats.url }, ['suppress', 'import', 'acme', '-'], { input: 'address\ne@example.jp\nno\n' })
    expect(wrong).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing of standard input was imported: 1 of its 2 lines unusable\n  line 3 address: "no" is not an address'),
    })
    expect((await hato('suppress', 'remove', 'acme', 'd@example.jp')).out).toBe("1 entry taken off acme's list\n")
    const { err } = await hato('suppress', 'list', 'acme', '--limit', '2')
    expect(err).toMatch(/^2 of 3; --after \d+\.\d+ goes on, --limit 0 shows all\n$/)
    const [, place = ''] = /--after (\S+)/.exec(err) ?? []
    expect((await hato('suppress', 'list', 'acme', '--after', place, '--limit', '2')).out).toContain('c@example.jp')
    expect(
      (JSON.parse((await hato('suppress', 'list', 'acme', '--json')).out) as { entries: { address: string }[] }).entries.map(({ address }) => address),
    ).toEqual(['a@example.jp', 'b@example.jp', 'c@example.jp'])
    expect((await hato('suppress', 'export', 'acme', join(here.folder, 'out.csv'))).out).toContain('3 entries written to')
    expect((await hato('suppress', 'add', '@all', 'trap@example.jp')).out).toBe('1 address suppressed for @all\n')
    expect((await hato('suppress', 'export', '@all')).out).toMatch(/^address,reason,list,since,until,reply\ntrap@example.jp,by-hand,/)
    expect(await readFile(join(here.folder, 'out.csv'), 'utf8')).toMatch(/^address,reason,list,.*\na@example\.jp,complaint,news,/)
  })

  it('publishes feedback, and the same once', { timeout: 30_000 }, async () => {
    const line = JSON.stringify({ id: 'f-1', kind: 'unsubscribe', at: '2026-11-24T00:00:00Z', rcpt: 'a@example.jp', source: 'test' })
    const path = await file('feedback.ndjson', `${line}\n`)
    for (let times = 0; times < 2; times++)
      expect(await hato('feedback', 'import', 'acme', path)).toMatchObject({
        code: 0,
        out: '1 entry of feedback published for acme (0 bounces, 0 complaints, 1 unsubscribe)\n',
      })
    await mkdir(join(here.folder, 'mails/new'), { recursive: true })
    await file('mails/new/1', 'From: a@example.jp\r\nSubject: hello\r\n\r\nhow are you\r\n')
    expect(await hato('feedback', 'import', 'acme', join(here.folder, 'mails'))).toMatchObject({
      code: 0,
      out: '0 entries of feedback published for acme, 1 mail left out\n',
      err: expect.stringContaining('left out: new/1: neither a bounce'),
    })
    const samples = fileURLToPath(new URL('../returned-mails', import.meta.url))
    const dry = JSON.parse((await hato('feedback', 'import', 'acme', samples, '--dry-run', '--json')).out)
    expect(dry).toMatchObject({ dryRun: true, imported: 9, bounce: 6, complaint: 3, unsubscribe: 0, mails: 13, skipped: 4 })
    expect(dry.leftOut).toContainEqual({ file: 'postfix-delayed.eml', because: 'not final: delayed' })
    expect(await gather(here.bus.scan(STREAM.feedback, wildcard('feedback')))).toHaveLength(1)
    for (let times = 0; times < 2; times++)
      expect((await hato('feedback', 'import', 'acme', samples)).out).toBe(
        '9 entries of feedback published for acme (6 bounces, 3 complaints, 0 unsubscribes), 4 mails left out\n',
      )
    expect(await gather(here.bus.scan(STREAM.feedback, wildcard('feedback')))).toHaveLength(10)
  })
})

describe('the doctor', () => {
  it('says who is missing, what nobody can read, what is overdue, and what to publish', { timeout: 60_000 }, async () => {
    await hato('apply', await fleetFile({ preflight: { off: false } }))
    await here.bus.store(subject('batch', { tenant: 'acme', campaign: 'lost', site: 'google' }), new Uint8Array([1, 2, 3]))
    const order: Order = {
      v: 1,
      tenant: 'acme',
      campaign: 'lost',
      kind: 'notice',
      lane: 'bulk',
      site: 'google',
      provider: 'google',
      pool: 'acme',
      batch: 1,
      mask: new Uint8Array([1]),
      count: 1,
      attempt: 1,
      deadline: Date.now() + 60_000,
      parked: true,
      because: 'protocol',
    }
    await here.bus.store(subject('laterRetry', { tenant: 'acme', campaign: 'lost', batch: 1 }), encode(order), {
      at: Date.now() + 3_600_000,
      target: subject('due', { lane: 'bulk' }),
    })
    const unmatched = {
      n: 0,
      rcpt: 'x@example.jp',
      outcome: 'deferred',
      class: 'unmatched',
      code: 451,
      enhanced: '4.9.9',
      reply: 'moon phase of x@example.jp is 17',
      stage: 'rcpt',
      site: 'google',
    }
    await here.bus.store(subject('outcome', { tenant: 'acme', campaign: 'lost', batch: 1 }), bytes(JSON.stringify({ v: 1, outcomes: [unmatched] })))
    const said = await hato('doctor')
    const flat = said.out.replace(/\s+/g, ' ')
    expect(said.code).toBe(1)
    expect(flat).toContain('✓ nats-server ')
    expect(flat).toContain('✓ 1 scheduler alive')
    expect(flat).toContain('✗ no domain-router is alive: nothing is handed to senders')
    expect(flat).toContain('✗ no sender is alive: nothing is sent')
    expect(flat).toContain('✗ DKIM: s1._domainkey.acme.example: the key is not in DNS')
    expect(said.out).toMatch(/publish s1\._domainkey\.acme\.example TXT\n {8}v=DKIM1; k=rsa; p=\S{300,}\n/)
    expect(flat).toContain('✗ PTR and EHLO: 127.0.1.1: has no PTR')
    expect(flat).toContain('1 message in MAIL cannot be read by this version')
    expect(flat).toContain('list.acme.lost.google, message')
    expect(flat).toContain('1 order is parked because nobody can read its batch')
    expect(flat).toContain('1 × at rcpt: 451 4.9.9 moon phase of <addr> is <n> (google)')
    expect(flat).toMatch(/\d+ things are wrong/)

    const dkim = { domain: 'acme.example', selector: 's1', publicKey: /p=(\S+)/.exec(said.out)?.[1] ?? '' }
    const sources = [1, 2].map((n) => ({ address: `127.0.1.${n}`, ehlo: `mx${n}.hato.example` }))
    here.world.publishSenderRecords({ sources, tenants: [{ domains: ['acme.example'], returnPath: 'bounce.acme.example' }], dkim: [dkim] })
    const { chapters } = JSON.parse((await hato('doctor', '--json')).out) as { chapters: { title: string; lines: { verdict: string; says: string }[] }[] }
    const dns = chapters.find(({ title }) => title === 'Fleet and DNS')?.lines ?? []
    expect(dns.filter(({ verdict }) => verdict !== 'good')).toEqual([])
    expect(dns.length).toBeGreaterThan(6)
  })
})
