import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import type { Content } from '../../protocol/campaign.ts'
import { prepareContent } from './compose.ts'

/** Two readers that know nothing of each other: what both decode, Outlook and Gmail do as well. */

const MAILS = 300
const READER = new URL('../../test/mailboxes/python-email.py', import.meta.url).pathname

interface AsPythonReads {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly attachments: readonly string[]
  readonly defects: readonly string[]
}

const character = fc.oneof(
  fc.constantFrom(...'春の新作「鳩」様①髙﨑～ｶﾅ'),
  fc.constantFrom(...'abc XYZ019.,;:()<>@"\\\'=?_-#'),
  fc.constantFrom('é', 'ß', '한', '🕊️', '👨‍👩‍👧', 'ا', '\u3000'),
)
const words = fc.string({ unit: character, minLength: 1, maxLength: 90 }).map((text) => `x${text.replace(/ +/g, ' ').trim()}`)
const mail = fc.record({ sender: words, name: words, subject: words, body: fc.array(words, { maxLength: 6 }).map((lines) => lines.join('\n')), file: words })

test('Python’s email package and mailparser read the names, subjects, texts and files that were sent', async () => {
  const sent = fc.sample(mail, { numRuns: MAILS, seed: 20_261_124 })
  const mails = await Promise.all(sent.map(octetsOf))
  const input = `${mails.map((octets) => octets.toString('base64')).join('\n')}\n`
  const python = spawnSync('python3', [READER], { input, maxBuffer: 1e9, encoding: 'utf8', env: { ...process.env, PYTHONIOENCODING: 'utf-8' } })
  if (python.error) throw new Error(`python3 reads the mails of this test, and ${python.error.message}: apt-get install python3`)
  expect(python.stderr).toBe('')
  const read = python.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AsPythonReads)
  expect(read).toHaveLength(MAILS)
  for (const [at, { sender, name, subject, body, file }] of sent.entries()) {
    const attachment = `${file.replaceAll('\\', '-')}.pdf`
    const html = `<p>${escaped(body)}</p>`
    const { text, ...rest } = read[at]!
    expect({ ...rest, text: trimmed(text), html: trimmed(rest.html) }).toEqual({
      ...{ from: sender, to: name, subject, text: body, html, attachments: [attachment], defects: [] },
    })
    const parsed = await simpleParser(mails[at]!)
    expect({ subject: parsed.subject, text: trimmed(parsed.text ?? ''), file: parsed.attachments[0]?.filename }).toEqual({
      subject,
      text: body,
      file: attachment,
    })
    const header = mails[at]!.toString('latin1').split('\r\n\r\n')[0] ?? ''
    for (const [word = ''] of header.matchAll(/=\?[^?]+\?[BQ]\?[^?]*\?=/g)) expect(word.length).toBeLessThanOrEqual(75)
  }
})

async function octetsOf({ sender, name, subject, body, file }: { sender: string; name: string; subject: string; body: string; file: string }): Promise<Buffer> {
  const content: Content = {
    from: { name: '{{ sender }}', address: 'news@acme.example' },
    subject: '{{ subject }}',
    text: '{{ body }}',
    html: '<p>{{ body }}</p>',
    attachments: [{ filename: `${file.replaceAll('\\', '-')}.pdf`, contentType: 'application/pdf', object: 'a' }],
  }
  const prepared = prepareContent(content, {
    tenant: 'acme',
    campaign: 'c',
    kind: 'notice',
    missing: 'fail',
    attachments: new Map([['a', Buffer.from('%PDF')]]),
  })
  if ('problems' in prepared) throw new Error(JSON.stringify(prepared.problems))
  const rendered = await prepared.render(
    { address: 'taro@example.jp', name, vars: { sender, subject, body } },
    { date: Date.UTC(2026, 10, 24), messageId: '<a@acme.example>', returnPath: 'b@bounce.acme.example', keys: [] },
  )
  if (rendered.kind !== 'mail') throw new Error(rendered.message)
  return Buffer.from(Buffer.concat(rendered.mail.chunks).toString('latin1').replaceAll('\r\n..', '\r\n.'), 'latin1')
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;' })[one] ?? '&#39;')
const trimmed = (text: string) => text.replace(/\r\n/g, '\n').replace(/\n+$/, '')
