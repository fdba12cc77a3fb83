import { simpleParser, type ParsedMail } from 'mailparser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Content, Recipient } from '../../protocol/campaign.ts'
import { prepareContent, type Mail, type Preparation, type Prepared } from './compose.ts'
import { edRow, rsaRow, verify } from './dkim.testkit.ts'
import { loadDkimKeys } from './dkim-keys.ts'
import { pooledSlabs, type Slabs } from './slabs.ts'
import { messageId } from './verp.ts'

const NOON = Date.UTC(2026, 11, 1, 12)
const { keys } = loadDkimKeys([rsaRow, edRow])
const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de', 'hex')
const pdf = Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7) % 256))

const spring: Content = {
  from: { name: 'Acme 春のお知らせ', address: 'news@acme.example' },
  replyTo: 'help+{{ token }}@acme.example',
  subject: '{{ name }}様、春の新作です',
  text: '{{ name }}様\n\n春の新作です。\n.点で始まる行\n',
  html: '<p>{{ name }}様</p><img src="cid:logo"><p>春の新作です。</p>',
  headers: { 'X-Segment': 'vip' },
  list: { id: 'news', name: 'Acme ニュース' },
  attachments: [
    { filename: '春のカタログ 2026（新作）.pdf', contentType: 'application/pdf', object: 'content/a.pdf' },
    { filename: 'logo.png', contentType: 'image/png', object: 'content/logo.png', cid: 'logo' },
  ],
  unsubscribe: { url: 'https://acme.example/u/{{ token }}', mailto: 'u+{{ token }}@acme.example' },
}
const taro: Recipient = { address: 'taro@example.jp', name: '山田 太郎', ref: 'c-1', vars: { name: '太郎', token: 'abc' } }
const objects = new Map([
  ['content/a.pdf', pdf],
  ['content/logo.png', png],
])

function prepare(content: Content, over: Partial<Preparation> = {}): Prepared {
  const prepared = prepareContent(content, { tenant: 'acme', campaign: 'spring-2026', kind: 'marketing', missing: 'fail', attachments: objects, ...over })
  if ('problems' in prepared) throw new Error(JSON.stringify(prepared.problems))
  return prepared
}

function how(recipient: Recipient, n = 0) {
  const id = messageId({ tenant: 'acme', campaign: 'spring-2026', batch: 7, n, address: recipient.address, domain: 'acme.example' })
  return { date: NOON, messageId: id, returnPath: 'b-x@bounce.acme.example', keys }
}

async function mailTo(prepared: Prepared, recipient: Recipient, n = 0): Promise<Mail> {
  const rendered = await prepared.render(recipient, how(recipient, n))
  if (rendered.kind !== 'mail') throw new Error(JSON.stringify(rendered))
  isSound(rendered.mail)
  return rendered.mail
}

/** What delivery.md §5 asks of the octets between 354 and the dot. */
function isSound(mail: Mail): void {
  const text = octets(mail).toString('latin1')
  expect(text.endsWith('\r\n')).toBe(true)
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
  const lines = text.slice(0, -2).split('\r\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998)
  expect(lines.filter((line) => line.startsWith('.') && !line.startsWith('..'))).toEqual([])
}

function octets({ chunks }: Mail): Buffer {
  return Buffer.concat(chunks)
}

function unstuff(bytes: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\r\n..', '\r\n.'), 'latin1')
}

async function read(mail: Mail): Promise<ParsedMail> {
  return simpleParser(unstuff(octets(mail)), { keepCidLinks: true })
}

describe('a Japanese mail with text, html, attachment and inline picture', () => {
  const prepared = prepare(spring)

  test('is read part by part by another program', async () => {
    const mail = await mailTo(prepared, taro)
    const parsed = await read(mail)
    expect(parsed.subject).toBe('太郎様、春の新作です')
    expect(parsed.from?.value).toEqual([{ name: 'Acme 春のお知らせ', address: 'news@acme.example' }])
    expect(parsed.to).toMatchObject({ value: [{ name: '山田 太郎', address: 'taro@example.jp' }] })
    expect(parsed.replyTo?.text).toBe('help+abc@acme.example')
    expect(parsed.date?.getTime()).toBe(NOON)
    expect(parsed.text?.trim()).toBe('太郎様\n\n春の新作です。\n.点で始まる行')
    expect(parsed.html).toBe('<p>太郎様</p><img src="cid:logo"><p>春の新作です。</p>')
    expect(parsed.attachments.map(({ filename, contentType, cid, related, content }) => ({ filename, contentType, cid, related, content }))).toEqual([
      { filename: 'logo.png', contentType: 'image/png', cid: 'logo', related: true, content: png },
      { filename: '春のカタログ 2026（新作）.pdf', contentType: 'application/pdf', cid: undefined, related: undefined, content: pdf },
    ])
  })

  test('carries the fields of its kind, once each, and no Return-Path', async () => {
    const [head = ''] = octets(await mailTo(prepared, taro))
      .toString()
      .split('\r\n\r\n')
    const names = head.split(/\r\n(?![ \t])/).map((field) => field.slice(0, field.indexOf(':')))
    expect(names).toEqual([
      ...['DKIM-Signature', 'DKIM-Signature', 'From', 'To', 'Reply-To', 'Subject', 'Date', 'Message-ID', 'List-Unsubscribe', 'List-Unsubscribe-Post'],
      ...['List-Id', 'Feedback-ID', 'Precedence', 'CFBL-Address', 'X-Segment', 'MIME-Version', 'Content-Type'],
    ])
    expect(head).toContain('List-Unsubscribe: <https://acme.example/u/abc>,\r\n <mailto:u+abc@acme.example>\r\n')
    expect(head).toContain('Feedback-ID: spring-2026:news:acme:acme\r\n')
    expect(head).toContain('CFBL-Address: b-x@bounce.acme.example;\r\n report=arf\r\n')
  })

  test('names the attachment for old programs too', async () => {
    const text = octets(await mailTo(prepared, taro)).toString()
    expect(text).toMatch(/name="=\?UTF-8\?B\?/)
    expect(text).toMatch(/filename\*0\*=utf-8''/)
  })

  test('passes DKIM by RSA and Ed25519', async () => {
    expect(await verify(unstuff(octets(await mailTo(prepared, taro))), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })

  test('has the same octets at every attempt and on every sender, and its own boundary', async () => {
    const first = await mailTo(prepared, taro)
    expect(octets(await mailTo(prepare(spring), taro)).equals(octets(first))).toBe(true)
    const other = await mailTo(prepared, { ...taro, address: 'hanako@example.jp' })
    const boundary = (mail: Mail) => /boundary="([^"]+)"/.exec(octets(mail).toString())?.[1]
    expect(boundary(first)).not.toBe(boundary(other))
  })

  test('has the same octets in memory that was other mails’, while it is its own', async () => {
    const slabs = pooledSlabs()
    const taken: Buffer[] = []
    const counting: Slabs = { ...slabs, take: (octets) => taken[taken.push(slabs.take(octets)) - 1]! }
    const recipients = Array.from({ length: 12 }, (_, n) => ({
      ...taro,
      address: `r${n}@example.jp`,
      vars: { name: `.\n  ${'太郎 '.repeat(n * 9)}`, token: `t${n}` },
    }))
    for (const content of [spring, { ...spring, text: '{{ name }} \n.\n', html: `<p>${'x'.repeat(99)} {{ name }}</p>` }]) {
      const ready = prepare(content)
      const held: { readonly mail: Mail; readonly alone: Buffer }[] = []
      for (const [n, recipient] of recipients.entries()) {
        const rendered = await ready.render(recipient, { ...how(recipient, n), slabs: counting })
        if (rendered.kind !== 'mail') throw new Error(JSON.stringify(rendered))
        held.push({ mail: rendered.mail, alone: octets(await mailTo(ready, recipient, n)) })
        if (n % 3 === 2) held.shift()?.mail.release()
        for (const { mail, alone } of held) expect(octets(mail).equals(alone)).toBe(true)
      }
      for (const { mail } of held) mail.release()
    }
    expect(new Set(taken).size).toBeLessThan(taken.length / 2)
  })

  test('leaves room behind it that no mail uses', async () => {
    const slabs = pooledSlabs()
    const rendered = await prepared.render(taro, { ...how(taro), slabs })
    if (rendered.kind !== 'mail') throw new Error(JSON.stringify(rendered))
    const before = octets(rendered.mail)
    const last = rendered.mail.chunks.at(-1)!
    Buffer.from(last.buffer, last.byteOffset + last.length, rendered.mail.spare).fill('#')
    expect(octets(rendered.mail).equals(before)).toBe(true)
    expect(before.equals(octets(await mailTo(prepared, taro)))).toBe(true)
  })

  test('goes to the address as the peer hears it', async () => {
    expect(await mailTo(prepared, taro)).toMatchObject({ from: 'b-x@bounce.acme.example', rcpt: 'taro@example.jp', smtputf8: false })
    expect(await mailTo(prepared, { ...taro, address: 'taro..y@docomo.ne.jp' })).toMatchObject({ rcpt: '"taro..y"@docomo.ne.jp', smtputf8: false })
    const utf8 = await mailTo(prepared, { ...taro, address: '太郎@例え.jp' })
    expect(utf8).toMatchObject({ rcpt: '太郎@xn--r8jz45g.jp', smtputf8: true })
    expect(await verify(unstuff(octets(utf8)), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })
})

describe('every shape of mail', () => {
  const text = { text: 'plain {{ name }}' }
  const html = { html: '<p>rich <b>{{ name }}</b></p>' }
  const file = { attachments: [{ filename: 'a.pdf', contentType: 'application/pdf', object: 'content/a.pdf' }] }
  const picture = { attachments: [{ filename: 'l.png', contentType: 'image/png', object: 'content/logo.png', cid: 'logo' }] }
  const base: Content = { from: { address: 'news@acme.example' }, subject: 's' }

  test.each([
    ['text', { ...text }, ['text/plain']],
    ['html', { ...html }, ['multipart/alternative', 'text/plain', 'text/html']],
    ['both', { ...text, ...html }, ['multipart/alternative', 'text/plain', 'text/html']],
    ['text and file', { ...text, ...file }, ['multipart/mixed', 'text/plain', 'application/pdf']],
    ['html and file', { ...html, ...file }, ['multipart/mixed', 'multipart/alternative', 'text/plain', 'text/html', 'application/pdf']],
    ['html and picture', { ...html, ...picture }, ['multipart/alternative', 'text/plain', 'multipart/related', 'text/html', 'image/png']],
  ])('with %s', async (_, over, types) => {
    const mail = await mailTo(prepare({ ...base, ...over }, { kind: 'notice' }), taro)
    const parsed = await read(mail)
    expect(
      [
        ...octets(mail)
          .toString()
          .matchAll(/^Content-Type: ([^;\r]+)/gm),
      ].map(([, type]) => type),
    ).toEqual(types)
    expect(parsed.text?.trim()).toBe('text' in over ? 'plain 太郎' : 'rich 太郎')
    if ('html' in over) expect(parsed.html).toBe('<p>rich <b>太郎</b></p>')
    expect(await verify(unstuff(octets(mail)), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })

  test('carries any text and any variable unchanged', async () => {
    const prepared = prepare({ ...base, text: 'A{{ v }}\nB', html: '<p>{{ v }}</p>' }, { kind: 'notice' })
    const lines = fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.constantFrom('.', '..', 'From me', '春の新作です'.repeat(200), 'x'.repeat(1_200), ' ', '=3D'),
      ),
    )
    await fc.assert(
      fc.asyncProperty(lines, async (written) => {
        const v = written.join('\n')
        const mail = await mailTo(prepared, { ...taro, vars: { v } })
        const parsed = await read(mail)
        const sent = `A${v}\nB`.replaceAll('\0', '').replace(/\r\n?/g, '\n')
        expect(parsed.text).toBe(sent.toWellFormed())
        expect(await verify(unstuff(octets(mail)), keys)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
      }),
      { numRuns: 100 },
    )
  })
})

describe('a recipient without a mail', () => {
  test('is told from one whose variables are complete, by the campaign’s own rule', async () => {
    const bare: Recipient = { address: 'taro@example.jp', vars: { token: 'abc' } }
    const nameless = { ...spring, subject: '{{ nick }}' }
    const rendered = (missing: Preparation['missing']) => prepare(nameless, { missing }).render({ ...taro }, how(taro))
    expect(await rendered('fail')).toMatchObject({
      kind: 'no-mail',
      because: 'missing-variable',
      then: 'fail',
      path: 'subject',
      message: expect.stringContaining('nick'),
    })
    expect(await rendered('skip')).toMatchObject({ kind: 'no-mail', because: 'missing-variable', then: 'skip' })
    expect(await rendered('empty')).toMatchObject({ kind: 'mail' })
    expect(await prepare(spring, { missing: 'empty' }).render(bare, how(bare))).toMatchObject({ kind: 'mail' })
  })

  test.each([
    [{ unsubscribe: { url: 'http://acme.example/{{ token }}' } }, {}, 'bad-unsubscribe'],
    [{ unsubscribe: { url: '{{ link }}' } }, { link: 'javascript:alert(1)' }, 'bad-unsubscribe'],
    [{}, { token: 'a b' }, 'bad-reply-to'],
    [{ text: '{% for i in (1..1000000000) %}x{% endfor %}' }, {}, 'template-broken'],
  ])('%o: %o', async (content, vars, because) => {
    const recipient = { ...taro, vars: { ...taro.vars, ...vars } }
    expect(await prepare({ ...spring, ...content }).render(recipient, how(recipient))).toMatchObject({ kind: 'no-mail', because, then: 'fail' })
  })

  test('whose address is none, or whose mail would be over 25 MB', async () => {
    expect(await prepare(spring).render({ address: 'taro@@x' }, how(taro))).toMatchObject({ kind: 'no-mail', because: 'bad-address' })
    const huge = prepare(spring, { attachments: new Map([...objects, ['content/a.pdf', Buffer.alloc(20_000_000)]]) })
    expect(await huge.render(taro, how(taro))).toMatchObject({ kind: 'no-mail', because: 'too-large' })
  })
})

describe('a content that cannot give any mail', () => {
  test('says why', () => {
    const bad = { ...spring, from: { address: 'news' }, subject: '{{ a' }
    expect(prepareContent(bad, { tenant: 'acme', campaign: 'c', kind: 'notice', missing: 'fail', attachments: new Map() })).toMatchObject({
      problems: [{ path: 'subject' }, { path: 'attachments[0].object' }, { path: 'attachments[1].object' }, { path: 'from.address' }],
    })
  })
})
