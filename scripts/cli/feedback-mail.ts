/**
 * A mail that came back → feedback: bounces (DSN, RFC 3464; qmail's own form), complaints (ARF, RFC 5965; Outlook's JMRP).
 *
 * Anybody can write such a mail. So nothing is made of one that does not bear a return path of ours; whether it is genuine the scheduler sees, which
 * knows the secret. Where in the mail it stands does not matter then.
 */
import { createHash } from 'node:crypto'
import type { ParsedMail } from 'mailparser'
import type { Feedback } from '../../protocol/messages/ops.ts'
import { classOfBounce } from './feedback-class.ts'

export type ReadMail = { readonly kind: 'feedback'; readonly entries: readonly Feedback[] } | { readonly kind: 'nothing'; readonly because: string }

/** The local part of our return paths (services/content/verp.ts): it tells campaign and recipient, and its MAC that it is no forgery. */
const RETURN_PATH = /\bb-[a-z2-7]{10}-[0-9a-z]{1,11}-[0-9a-z]{1,2}-[a-z2-7]{8}-[a-z2-7]{16}(?=@)/i
const NOT_OURS = 'bears no return path of ours, and anybody may have written it'
/** Types of ARF reports that are no complaint. */
const NO_COMPLAINT = new Set(['not-spam', 'auth-failure', 'dmarc'])

export async function readReturnedMail(mail: Uint8Array, file: string): Promise<ReadMail> {
  const { simpleParser } = await import('mailparser') // 0.2 s that no other command should pay
  const parsed = await simpleParser(Buffer.from(mail), { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true })
  const raw = unfolded(
    Buffer.from(mail)
      .toString('latin1')
      .replace(/=\r?\n/g, ''),
  ) // quoted-printable breaks lines anywhere, in a return path too
  const returned: Returned = { parsed, raw, mail, file, token: RETURN_PATH.exec(raw)?.[0] }
  const report = parsed.attachments.find(({ contentType }) => contentType === 'message/feedback-report')
  if (report) return complaint(fieldsOf(report.content.toString('utf8')), returned)
  const text = parsed.text ?? ''
  const type = parsed.headers.get('content-type') as { readonly value?: string } | undefined
  // NOTE: mailparser gives message/delivery-status as part of the text
  if (/^Final-Recipient:/im.test(text)) return bounces(returned)
  if (/^complaint about message from/i.test(parsed.subject ?? '')) return complaint(fieldsOf(raw), returned)
  if (/^Hi\. This is the qmail-send program/m.test(text)) return qmailBounces(returned)
  if (type?.value === 'multipart/report') return nothing('a report that names no recipient')
  return nothing('neither a bounce (RFC 3464) nor a complaint (RFC 5965)')
}

interface Returned {
  readonly parsed: ParsedMail
  /** the whole mail, header fields on one line each */
  readonly raw: string
  readonly mail: Uint8Array
  readonly file: string
  readonly token: string | undefined
}

function bounces(returned: Returned): ReadMail {
  const groups = (returned.parsed.text ?? '').split(/\r?\n\s*\r?\n/).map((text) => fieldsOf(unfolded(text)))
  const recipients = groups.filter((fields) => fields.has('final-recipient') || fields.has('original-recipient'))
  const failed = recipients.filter((fields) => fields.get('action')?.toLowerCase() === 'failed')
  if (failed.length === 0) return nothing(`not final: ${recipients[0]?.get('action') ?? 'no action'}`)
  return feedback(
    returned,
    failed.map((fields) => {
      const diagnostic = (fields.get('diagnostic-code') ?? '').replace(/^[^;]*;\s*/, '')
      return {
        kind: 'bounce' as const,
        rcpt: typed(fields.get('original-recipient')) ?? typed(fields.get('final-recipient')),
        class: classOfBounce(fields.get('status')?.split(/\s/)[0] ?? '', diagnostic),
      }
    }),
  )
}

/** `<rokuro@far.example>:` and what was said of it, up to the copy of the mail. */
function qmailBounces(returned: Returned): ReadMail {
  const [said = ''] = (returned.parsed.text ?? '').split('--- Below this line')
  const found = [...said.matchAll(/^<([^<>\s]+@[^<>\s]+)>:\s*\n(.*)$/gm)]
  if (found.length === 0) return nothing('a bounce of qmail that names no recipient')
  return feedback(
    returned,
    found.map(([, rcpt, words = '']) => ({ kind: 'bounce' as const, rcpt, class: classOfBounce('', words) })),
  )
}

function complaint(fields: ReadonlyMap<string, string>, returned: Returned): ReadMail {
  const type = fields.get('feedback-type')?.toLowerCase() ?? 'abuse'
  if (NO_COMPLAINT.has(type)) return nothing(`a report of type ${type}`)
  const rcpt = unbracketed(fields.get('original-rcpt-to') ?? fields.get('x-hmxmroriginalrecipient'))
  return feedback(returned, [{ kind: type.startsWith('opt-out') ? 'unsubscribe' : 'complaint', rcpt, class: undefined }])
}

type Told = Pick<Feedback, 'kind'> & { readonly rcpt: string | undefined; readonly class: string | undefined }

/** The same mail read twice is the same feedback: its id is a digest of the mail. */
function feedback({ parsed, mail, file, token }: Returned, told: readonly Told[]): ReadMail {
  if (token === undefined) return nothing(NOT_OURS)
  const at = (parsed.date ?? new Date(0)).toISOString()
  const entries = told.map(({ kind, rcpt, class: replyClass }): Feedback => {
    const digest = createHash('sha256')
      .update(mail)
      .update(`\0${rcpt ?? ''}`)
    const id = `mail-${digest.digest('base64url').slice(0, 32)}`
    return { id, kind, at, source: `mail ${file}`, token, ...(rcpt !== undefined && { rcpt }), ...(replyClass !== undefined && { class: replyClass }) }
  })
  return { kind: 'feedback', entries }
}

function nothing(because: string): ReadMail {
  return { kind: 'nothing', because }
}

function unfolded(text: string): string {
  return text.replace(/\r?\n[ \t]+/g, ' ')
}

/** Header fields, names in lower case. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([A-Za-z0-9-]+):[ \t]*(.*)$/gm)].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]))
}

/** `rfc822; taro@example.jp` → the address */
function typed(value: string | undefined): string | undefined {
  return unbracketed(value?.replace(/^[^;]*;\s*/, ''))
}

function unbracketed(value: string | undefined): string | undefined {
  const text = value?.trim().replace(/^<(.*)>$/, '$1')
  return text === '' ? undefined : text
}
