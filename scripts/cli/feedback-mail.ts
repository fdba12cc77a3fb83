/**
 * A mail that came back → feedback: bounces (DSN, RFC 3464) and complaints (ARF, RFC 5965).
 */
import { createHash } from 'node:crypto'
import type { AddressObject, ParsedMail } from 'mailparser'
import type { Feedback } from '../../protocol/messages/ops.ts'
import type { ReplyClass } from '../../protocol/words.ts'

export type ReadMail = { readonly kind: 'feedback'; readonly entries: readonly Feedback[] } | { readonly kind: 'nothing'; readonly because: string }

/** The local part of our return paths (services/content/verp.ts): it tells campaign and recipient, and its MAC that it is no forgery. */
const RETURN_PATH = /\bb-[a-z2-7]{10}-[0-9a-z]{1,11}-[0-9a-z]{1,2}-[a-z2-7]{16}(?=@)/i

/** RFC 3463 codes that mean one thing everywhere; the rest is judged by nobody here. */
const CLASSES: readonly (readonly [RegExp, ReplyClass])[] = [
  [/^5\.1\.(1|10)$/, 'unknown-user'],
  [/^5\.1\.(2|4)$/, 'no-such-domain'],
  [/^[45]\.2\.2$/, 'mailbox-full'],
  [/^5\.2\.1$/, 'mailbox-disabled'],
  [/^5\.3\.4$/, 'too-large'],
  [/^5\.7\./, 'blocked'],
]

export async function readReturnedMail(mail: Uint8Array, file: string): Promise<ReadMail> {
  const { simpleParser } = await import('mailparser') // 0.2 s that no other command should pay
  const parsed = await simpleParser(Buffer.from(mail), { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true })
  const type = parsed.headers.get('content-type') as { value?: string; params?: Readonly<Record<string, string>> } | undefined
  const report = parsed.attachments.find(({ contentType }) => contentType === 'message/feedback-report')
  if (report) return complaint(fieldsOf(report.content.toString('utf8')), parsed, mail, file)
  // NOTE: mailparser gives message/delivery-status as part of the text
  if (type?.value === 'multipart/report' || /^Final-Recipient:/im.test(parsed.text ?? '')) return bounces(parsed, mail, file)
  return { kind: 'nothing', because: 'neither a bounce (RFC 3464) nor a complaint (RFC 5965)' }
}

function bounces(parsed: ParsedMail, mail: Uint8Array, file: string): ReadMail {
  const groups = (parsed.text ?? '').split(/\r?\n\s*\r?\n/).map(fieldsOf)
  const recipients = groups.filter((fields) => fields.has('final-recipient') || fields.has('original-recipient'))
  if (recipients.length === 0) return { kind: 'nothing', because: 'a report that names no recipient' }
  const failed = recipients.filter((fields) => fields.get('action')?.toLowerCase() === 'failed')
  if (failed.length === 0) return { kind: 'nothing', because: `not final: ${recipients[0]?.get('action') ?? 'no action'}` }
  const token = RETURN_PATH.exec(addressesIn(parsed))?.[0]
  return {
    kind: 'feedback',
    entries: failed.map((fields) => {
      const rcpt = typed(fields.get('original-recipient')) ?? typed(fields.get('final-recipient'))
      const status = fields.get('status')?.split(/\s/)[0] ?? ''
      const found = CLASSES.find(([code]) => code.test(status))
      return {
        ...common(parsed, mail, file, rcpt),
        kind: 'bounce',
        ...(token !== undefined && { token }),
        ...(rcpt !== undefined && { rcpt }),
        ...(found && { class: found[1] }),
      }
    }),
  }
}

function complaint(fields: ReadonlyMap<string, string>, parsed: ParsedMail, mail: Uint8Array, file: string): ReadMail {
  const type = fields.get('feedback-type')?.toLowerCase() ?? ''
  if (type === 'not-spam' || type === 'auth-failure') return { kind: 'nothing', because: `a report of type ${type}` }
  const rcpt = unbracketed(fields.get('original-rcpt-to'))
  const token = RETURN_PATH.exec(`${fields.get('original-mail-from') ?? ''} ${addressesIn(parsed)}`)?.[0]
  if (rcpt === undefined && token === undefined) return { kind: 'nothing', because: 'a complaint that names neither a recipient nor one of our return paths' }
  return {
    kind: 'feedback',
    entries: [
      {
        ...common(parsed, mail, file, rcpt),
        kind: type.startsWith('opt-out') ? 'unsubscribe' : 'complaint',
        ...(token !== undefined && { token }),
        ...(rcpt !== undefined && { rcpt }),
      },
    ],
  }
}

/** The same mail read twice is the same feedback. */
function common(parsed: ParsedMail, mail: Uint8Array, file: string, rcpt: string | undefined): Pick<Feedback, 'id' | 'at' | 'source'> {
  const id = createHash('sha256')
    .update(parsed.messageId ?? mail)
    .update(`\0${rcpt ?? ''}`)
    .digest('base64url')
  return { id: `mail-${id.slice(0, 32)}`, at: (parsed.date ?? new Date(0)).toISOString(), source: `mail ${file}` }
}

function addressesIn(parsed: ParsedMail): string {
  const texts = ['delivered-to', 'x-original-to', 'to'].map((name) => {
    const value = parsed.headers.get(name) as AddressObject | AddressObject[] | string | undefined
    return typeof value === 'string'
      ? value
      : [value ?? []]
          .flat()
          .map(({ text }) => text)
          .join(' ')
  })
  return texts.join(' ')
}

/** Header fields of a report's part, folded lines joined, names in lower case. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const unfolded = text.replace(/\r?\n[ \t]+/g, ' ')
  return new Map([...unfolded.matchAll(/^([A-Za-z0-9-]+):[ \t]*(.*)$/gm)].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]))
}

/** `rfc822; taro@example.jp` → the address */
function typed(value: string | undefined): string | undefined {
  return unbracketed(value?.replace(/^[^;]*;\s*/, ''))
}

function unbracketed(value: string | undefined): string | undefined {
  const text = value?.trim().replace(/^<(.*)>$/, '$1')
  return text === '' ? undefined : text
}
