import { mkdtempSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Content, Recipient } from '../../protocol/campaign.ts'
import { prepareContent, type Mail } from '../../services/content/compose.ts'
import { chooseKeys, loadDkimKeys } from '../../services/content/dkim-keys.ts'
import { decodeReturnPath, encodeReturnPath, messageId } from '../../services/content/verp.ts'
import { openSession } from '../../services/sender/smtp/open.ts'
import { TIMEOUTS } from '../../services/sender/smtp/timeouts.ts'
import type { Transaction } from '../../services/sender/smtp/types.ts'
import { readByImap, readByPop3, type Read } from './read.ts'
import { type Mailboxes, startMailboxes } from './servers.ts'

const SECRET = 'a secret of thirty-two characters'
const DATE = Date.UTC(2026, 11, 1)
const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de', 'hex')
const pdf = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 31 + (at >> 8)) % 256))
const html = '<h1>太郎様</h1><p>春の新作です。<a href="https://acme.example/?a=1&amp;b=2">ご覧ください</a></p><img src="cid:logo" alt="Acme">'
const text = '太郎様\n\n春の新作です。\n.\n..点で始まる行\nFrom here on, nothing is changed.'

const spring: Content = {
  from: { name: 'Acme 春のお知らせ', address: 'news@acme.example' },
  subject: '{{ name }}様、春の新作です：今年もたくさんの新しい商品をご用意しました 🕊️',
  text: text.replace('太郎', '{{ name }}'),
  html: html.replace('太郎', '{{ name }}'),
  list: { id: 'news', name: 'Acme ニュース' },
  attachments: [
    { filename: '春のカタログ 2026（新作）.pdf', contentType: 'application/pdf', object: 'a' },
    { filename: 'logo.png', contentType: 'image/png', object: 'b', cid: 'logo' },
  ],
  unsubscribe: { url: 'https://acme.example/u/{{ token }}', mailto: 'u+{{ token }}@acme.example' },
}

const pem = (type: 'rsa' | 'ed25519') =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2_048 }) : generateKeyPairSync('ed25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
const { keys } = loadDkimKeys([
  { domain: 'acme.example', selector: 's1', tenants: ['acme'], pem: pem('rsa') },
  { domain: 'acme.example', selector: 'e1', tenants: ['acme'], pem: pem('ed25519') },
])

let mailboxes: Mailboxes

beforeAll(async () => {
  mailboxes = await startMailboxes(process.env.MAILBOXES_DIR ?? mkdtempSync(join(tmpdir(), 'hato-mailboxes-')))
})
afterAll(async () => {
  await mailboxes?.[Symbol.asyncDispose]()
})

async function render(address: string, n: number): Promise<Mail> {
  const objects = new Map([
    ['a', pdf],
    ['b', png],
  ])
  const prepared = prepareContent(spring, { tenant: 'acme', campaign: 'spring-2026', kind: 'marketing', missing: 'fail', attachments: objects })
  if ('problems' in prepared) throw new Error(JSON.stringify(prepared.problems))
  const recipient: Recipient = { address, name: '山田 太郎', vars: { name: '太郎', token: 'abc' } }
  const place = { tenant: 'acme', campaign: 'spring-2026', batch: 7, n }
  const rendered = await prepared.render(recipient, {
    date: DATE,
    messageId: messageId({ ...place, address, domain: prepared.fromDomain }),
    returnPath: encodeReturnPath({ ...place, address, secret: SECRET, domain: 'bounce.acme.example' }),
    keys: chooseKeys(keys, { tenant: 'acme', fromDomain: prepared.fromDomain, at: DATE }),
  })
  if (rendered.kind !== 'mail') throw new Error(rendered.message)
  return rendered.mail
}

/** One mail through the sender's own SMTP engine. */
async function send(protocol: 'smtp' | 'lmtp', { from, rcpt, chunks, smtputf8, sizeBytes }: Mail): Promise<Transaction> {
  const port = protocol === 'smtp' ? mailboxes.smtpPort : mailboxes.lmtpPort
  const opened = await openSession({
    host: 'mx.example.jp',
    address: '127.0.0.1',
    port,
    localAddress: '127.0.1.1',
    ehlo: 'mx7.hato.example',
    tls: 'off',
    protocol,
    timeouts: TIMEOUTS,
  })
  if (opened.kind !== 'open') throw new Error(`${opened.stage}: ${opened.reply?.text ?? opened.fault?.message}`)
  const transaction = await opened.session.transact({ from, rcpts: [rcpt], smtputf8, size: sizeBytes, body: chunks }, null)
  opened.session.quit()
  await opened.session.over
  return transaction
}

async function dkimResults(source: Buffer): Promise<string[]> {
  const resolver = async (name: string) => [[keys.find((key) => name === `${key.selector}._domainkey.${key.domain}`)?.dnsRecord ?? '']]
  const { results } = await dkimVerify(source, { resolver })
  return results.map((result) => `${result.algo} ${result.status.result}`)
}

/** Everything the recipient sees, compared with what the campaign said. */
function expectTheMail(read: Read, to: string): void {
  expect(read.subject).toBe('太郎様、春の新作です：今年もたくさんの新しい商品をご用意しました 🕊️')
  expect(read.from).toBe('Acme 春のお知らせ <news@acme.example>')
  expect(read.to).toBe(`山田 太郎 <${to}>`)
  expect(read.structure).toBe('multipart/mixed(multipart/alternative(text/plain multipart/related(text/html image/png)) application/pdf)')
  const [plain, rich, picture, file] = read.parts
  expect(plain?.content.toString().replaceAll('\r\n', '\n')).toBe(text)
  expect(rich?.content.toString()).toBe(html)
  expect(picture).toMatchObject({ type: 'image/png', disposition: 'inline', filename: 'logo.png', id: '<logo>' })
  expect(picture?.content.equals(png)).toBe(true)
  expect(file).toMatchObject({ type: 'application/pdf', disposition: 'attachment', filename: '春のカタログ 2026（新作）.pdf' })
  expect(file?.content.equals(pdf)).toBe(true)
}

function returnPathOf(source: Buffer): string {
  return /^Return-Path: <([^>]*)>\r\n/im.exec(source.toString('latin1'))?.[1] ?? ''
}

describe('a Japanese mail with attachment and inline picture, through Postfix into a mailbox', () => {
  let read: Read
  beforeAll(async () => {
    const transaction = await send('smtp', await render('taro@example.jp', 0))
    expect(transaction.dot[0]).toMatchObject({ code: 250 })
    read = await readByImap(mailboxes, 'taro@example.jp')
  })

  test('is read part by part over IMAP as it was written', () => {
    expectTheMail(read, 'taro@example.jp')
  })

  test('still passes DKIM, by RSA and by Ed25519', async () => {
    expect(await dkimResults(read.source)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })

  test('keeps the return path that names its recipient', () => {
    expect(decodeReturnPath(SECRET, returnPathOf(read.source))).toMatchObject({ batch: 7, n: 0 })
  })

  test('is the same over POP3', async () => {
    const source = await readByPop3(mailboxes, 'taro@example.jp')
    expect(source.equals(read.source)).toBe(true)
    const parsed = await simpleParser(source)
    expect(parsed.subject).toBe(read.subject)
    expect(parsed.text?.trimEnd()).toBe(text)
    expect(parsed.attachments.map(({ filename, content }) => [filename, content.length])).toEqual([
      ['logo.png', png.length],
      ['春のカタログ 2026（新作）.pdf', pdf.length],
    ])
  })
})

describe('the same mail, straight to LMTP', () => {
  test('is answered per recipient and read as it was written', async () => {
    const transaction = await send('lmtp', await render('hanako@example.jp', 1))
    expect(transaction.dot).toEqual([expect.objectContaining({ code: 250 })])
    const read = await readByImap(mailboxes, 'hanako@example.jp')
    expectTheMail(read, 'hanako@example.jp')
    expect(await dkimResults(read.source)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
    expect(decodeReturnPath(SECRET, returnPathOf(read.source))).toMatchObject({ batch: 7, n: 1 })
  })
})

describe('addresses that old carriers gave out', () => {
  test.each(['taro..y@docomo.ne.jp', 'abc.@docomo.ne.jp'])('%s arrives, quoted on the way', async (address) => {
    const transaction = await send('smtp', await render(address, 2))
    expect(transaction.dot[0]).toMatchObject({ code: 250 })
    const read = await readByImap(mailboxes, address)
    expect(read.parts).toHaveLength(4)
    expect(await dkimResults(read.source)).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })
})

describe('an address beyond ASCII', () => {
  test('is taken by Postfix under SMTPUTF8', async () => {
    const transaction = await send('smtp', await render('太郎@utf8.example', 3))
    expect(transaction).toMatchObject({ unfit: null, dot: [expect.objectContaining({ code: 250 })] })
  })

  test('is not even tried where the peer does not offer SMTPUTF8', async () => {
    expect(await send('lmtp', await render('太郎@utf8.example', 3))).toMatchObject({ unfit: 'smtputf8', mail: null })
  })
})
