import { describe, expect, test } from 'vitest'
import type { Content } from '../../protocol/campaign.ts'
import type { Kind } from '../../protocol/words.ts'
import { checkContent, recipientProblem } from './check.ts'

const good: Content = {
  from: { name: 'Acme', address: 'news@acme.example' },
  subject: '{{ name }}様',
  text: 'こんにちは',
  list: { id: 'news' },
  unsubscribe: { url: 'https://acme.example/u/{{ token }}' },
}
const sizes = new Map([
  ['small', 1_000],
  ['big', 30_000_000],
  ['medium', 9_500_000],
])
const pdf = (object: string) => ({ filename: 'a.pdf', contentType: 'application/pdf', object })

function problems(over: Partial<Content>, kind: Kind = 'marketing', sample: { address: string; vars?: Record<string, unknown> }[] = []): string[] {
  const found = checkContent({ ...good, ...over }, { kind, domains: ['acme.example'], objectSizes: sizes, sample })
  return found.map(({ path, message }) => `${path} ${message}`)
}

describe('a content', () => {
  test('that is right has no problems', () => {
    expect(problems({})).toEqual([])
    expect(problems({ from: { address: 'news@mail.acme.example' }, attachments: [pdf('small')] })).toEqual([])
    expect(checkContent({ ...good, from: { address: 'news@鳩.example' } }, { kind: 'marketing', domains: ['鳩.example'] })).toEqual([])
    expect(checkContent({ from: good.from, subject: 's', html: '<p>a</p>' }, { kind: 'transactional', domains: ['acme.example'] })).toEqual([])
  })

  test.each<[string, Partial<Content>, string]>([
    ['From of another domain', { from: { address: 'news@evil.example' } }, 'from.address evil.example is not a domain of this tenant (acme.example)'],
    ['From that only ends alike', { from: { address: 'news@badacme.example' } }, 'from.address badacme.example is not'],
    ['From that is a template', { from: { address: '{{ a }}@acme.example' } }, 'from.address must not vary'],
    ['a name in From that is a template', { from: { name: '{{ shop }}', address: 'news@acme.example' } }, 'from.name must not vary'],
    ['From beyond ASCII', { from: { address: '春@acme.example' } }, 'from.address must be in ASCII'],
    ['no address in From', { from: { address: 'news' } }, 'from.address "news" is not an address'],
    ['Sender of another domain', { sender: 'x@evil.example' }, 'sender evil.example is not'],
    ['a broken replyTo', { replyTo: 'x@' }, 'replyTo "x@" is not an address'],
    ['a line break in the subject', { subject: 'a\r\nBcc: x@y.jp' }, 'subject must not contain CR, LF or NUL'],
    ['a line break in the name', { from: { name: 'a\nb', address: 'news@acme.example' } }, 'from.name must not contain'],
    ['a line break in the list', { list: { id: 'news', name: 'a\rb' } }, 'list.name must not contain'],
    ['a line break in a header', { headers: { 'X-A': 'a\r\nb' } }, 'headers.X-A must not contain'],
    ['a broken template', { subject: '{{ a' }, 'subject output "{{ a" not closed'],
    ['no body', { text: ' ' }, 'text is missing'],
    ['an empty subject', { subject: ' ' }, 'subject is empty'],
    ['a picture that is not there', { html: '<img src="cid:logo">' }, 'html shows cid:logo'],
    ['a large attachment', { attachments: [pdf('big')] }, 'attachments the mail would have 41'],
    ['too many attachments together', { attachments: [pdf('medium'), pdf('medium')] }, 'attachments the mail would have 2'],
    ['an attachment that is not there', { attachments: [pdf('none')] }, 'attachments[0].object there is no object "none"'],
    ['an attachment of no type', { attachments: [{ ...pdf('small'), contentType: 'pdf' }] }, 'attachments[0].contentType "pdf" is not a media type'],
    ['an attached mail', { attachments: [{ ...pdf('small'), contentType: 'message/rfc822' }] }, 'attachments[0].contentType message/rfc822 cannot'],
    ['a cid without html', { attachments: [{ ...pdf('small'), cid: 'a' }] }, 'attachments[0].cid is for pictures'],
    ['no list', { list: undefined as never }, 'list is missing'],
    ['no unsubscribe', { unsubscribe: undefined as never }, 'unsubscribe.url is missing'],
    ['only mailto', { unsubscribe: { mailto: 'u@acme.example' } }, 'unsubscribe.url is missing'],
    ['http', { unsubscribe: { url: 'http://acme.example/{{ token }}' } }, 'unsubscribe.url must begin with https'],
    ['one link for all', { unsubscribe: { url: 'https://acme.example/u' } }, 'unsubscribe.url is the same for every'],
  ])('with %s is refused', (_, over, message) => {
    expect(problems(over)).toEqual([expect.stringContaining(message)])
  })

  test.each([
    ...['From', 'to', 'CC', 'Bcc', 'Date', 'Message-ID', 'Return-Path', 'Received', 'DKIM-Signature', 'ARC-Seal', 'Authentication-Results'],
    ...['MIME-Version', 'Content-Type', 'Resent-From', 'List-Unsubscribe', 'Feedback-ID', 'Precedence', 'Auto-Submitted', 'X-Hato-Campaign'],
    ...['Subject', 'Reply-To', 'Sender', 'X A', 'X:A', 'X-あ', ''],
  ])('with the header %j is refused', (name) => {
    expect(problems({ headers: { [name]: '1' } })).toHaveLength(1)
  })

  test('with too many or too long headers is refused', () => {
    expect(problems({ headers: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`X-${at}`, '1'])) })).toEqual([expect.stringContaining('21 headers')])
    expect(problems({ headers: { 'X-A': 'a'.repeat(8_200) } })).toEqual([expect.stringContaining('octets')])
    expect(problems({ headers: { 'X-A': '1', 'x-a': '2' } })).toEqual([expect.stringContaining('twice')])
  })

  test('whose link is alike for different recipients is refused', () => {
    const two = [
      { address: 'a@x.jp', vars: { token: 'same', name: 'A' } },
      { address: 'b@x.jp', vars: { token: 'same', name: 'B' } },
    ]
    expect(problems({}, 'marketing', two)).toEqual([expect.stringContaining('is the same for a@x.jp and b@x.jp once rendered')])
    const third = { address: 'c@x.jp', vars: { token: 'own', name: 'C' } }
    expect(problems({}, 'marketing', [third, ...two])).toEqual([expect.stringContaining('is the same for a@x.jp and b@x.jp')])
    expect(problems({}, 'marketing', [third, third])).toEqual([])
    expect(problems({ unsubscribe: { url: 'https://acme.example/u?a={{ address | url_encode }}' } }, 'marketing', two)).toEqual([])
  })

  test('shows all its problems at once', () => {
    const found = problems({ from: { address: 'x' }, subject: '{{ a', text: '', headers: { From: 'x' }, attachments: [pdf('big')], unsubscribe: {} })
    expect(found.map((problem) => problem.split(' ')[0])).toEqual(['from.address', 'subject', 'headers.From', 'text', 'unsubscribe.url', 'attachments'])
  })
})

describe('a recipient', () => {
  test('of an office gets no marketing', () => {
    expect(recipientProblem({ address: 'abuse@example.jp' }, 'marketing')).toContain('office')
    expect(recipientProblem({ address: 'abuse@example.jp' }, 'notice')).toBeNull()
    expect(recipientProblem({ address: 'abuse@@example.jp' }, 'notice')).toContain('is not an address')
  })
})
