import { formatAddress, needsSmtputf8, parseAddress } from '../../protocol/addresses.ts'
import { LIMITS, type Campaign, type Content, type Problem, type Recipient } from '../../protocol/campaign.ts'
import type { EpochMs, Kind } from '../../protocol/words.ts'
import { assemble, boundaryOf, stuffDots } from './assemble.ts'
import { encodeTextBody, textFromHtml, type EncodedText } from './bodies.ts'
import { signDkim } from './dkim.ts'
import type { DkimKey } from './dkim-keys.ts'
import { dateField, kindFields, mailboxField, readUnsubscribe, textField, unsubscribeFields } from './fields.ts'
import { buildSkeleton, type BodyKind } from './skeleton.ts'
import { compileContent, scopeOf, type RenderMode, type Scope, type Template, type Templates } from './template.ts'

/** From content to mails: `prepareContent` once per campaign, `render` per recipient; the same octets for the same recipient at every attempt. */

export interface Preparation {
  readonly tenant: string
  readonly campaign: string
  readonly kind: Kind
  readonly missing: Campaign['missing']
  /** the fleet file's `feedback_id`; default the tenant */
  readonly feedbackId?: string
  /** the bytes of every `attachments[].object` */
  readonly attachments: ReadonlyMap<string, Uint8Array>
}

export interface Prepared {
  /** From's domain in A-labels: chooses the DKIM keys and ends the Message-ID */
  readonly fromDomain: string
  readonly render: (recipient: Recipient, how: Rendering) => Promise<Rendered>
}

/** What comes neither from the content nor from the recipient. None of it may change between attempts. */
export interface Rendering {
  /** Date, the templates' `now` and the signatures' `t=` */
  readonly date: EpochMs
  readonly messageId: string
  readonly returnPath: string
  /** from `chooseKeys`; empty = unsigned */
  readonly keys: readonly DkimKey[]
}

export interface Mail {
  /** MAIL FROM */
  readonly from: string
  /** RCPT TO, quoted where needed */
  readonly rcpt: string
  /** CRLF throughout and at the end, dots stuffed, no line over 998, no NUL; the final dot is the session's */
  readonly bytes: Uint8Array
  /** the peer must offer SMTPUTF8 (RFC 6531) */
  readonly smtputf8: boolean
  /** octets before dots were stuffed, as MAIL's SIZE counts (RFC 1870) */
  readonly sizeBytes: number
}

export interface NoMail {
  readonly kind: 'no-mail'
  readonly because: 'missing-variable' | 'template-broken' | 'bad-address' | 'bad-reply-to' | 'bad-unsubscribe' | 'too-large'
  /** `skip`: the campaign asked to leave such recipients out; `fail`: it is the recipient's outcome */
  readonly then: 'skip' | 'fail'
  readonly path: string
  readonly message: string
}

export type Rendered = { readonly kind: 'mail'; readonly mail: Mail } | NoMail

/** @returns the problems instead when the content cannot give any mail; what `checkContent` passed has none */
export function prepareContent(content: Content, about: Preparation): Prepared | { readonly problems: readonly Problem[] } {
  const { templates, problems } = compileContent(content)
  const from = parseAddress(content.from.address)
  const sender = content.sender === undefined ? null : parseAddress(content.sender)
  const loaded = loadAttachments(content, about.attachments)
  const found = [...problems, ...loaded.problems]
  if (!from) found.push({ path: 'from.address', message: `"${content.from.address}" is not an address` })
  if (content.sender !== undefined && !sender) found.push({ path: 'sender', message: `"${content.sender}" is not an address` })
  if (found.length > 0 || !from) return { problems: found }

  const { tenant, campaign, kind } = about
  const kindOf = kindFields({ kind, tenant, campaign, list: content.list, fromDomain: from.domain, senderId: about.feedbackId ?? tenant })
  const bodies = bodyEncoders(templates)
  const skeleton = buildSkeleton([...bodies.keys()], loaded.attachments)
  const senderField = sender ? [mailboxField('Sender', sender, undefined)] : []
  const ownHeaders = Object.keys(content.headers ?? {})

  async function render(recipient: Recipient, how: Rendering): Promise<Rendered> {
    const to = parseAddress(recipient.address)
    if (!to) return fail('bad-address', 'address', `"${recipient.address}" is not an address`)
    const filled = fillIn(templates, scopeOf(recipient), { now: how.date, missing: about.missing === 'empty' ? 'empty' : 'refuse' }, about.missing)
    if ('kind' in filled) return filled
    const replyTo = filled.get('replyTo')?.trim()
    const replyToAddress = replyTo ? parseAddress(replyTo) : null
    if (replyTo && !replyToAddress) return fail('bad-reply-to', 'replyTo', `"${replyTo}" is not an address`)
    const unsubscribe = readUnsubscribe(filled.get('unsubscribe.url'), filled.get('unsubscribe.mailto'))
    if ('problem' in unsubscribe) return fail('bad-unsubscribe', unsubscribe.path, unsubscribe.problem)

    const encoded = new Map([...bodies].map(([body, encode]) => [body, encode(filled)]))
    const mime = assemble(skeleton, encoded, boundaryOf(how.messageId))
    const fields = [
      mailboxField('From', from as NonNullable<typeof from>, filled.get('from.name')),
      ...senderField,
      mailboxField('To', to, recipient.name),
      ...(replyToAddress ? [mailboxField('Reply-To', replyToAddress, undefined)] : []),
      textField('Subject', filled.get('subject') ?? ''),
      dateField(how.date),
      `Message-ID: ${how.messageId}`,
      ...unsubscribeFields(unsubscribe),
      ...kindOf,
      ...ownHeaders.flatMap((name) => ownField(name, filled.get(`headers.${name}`))),
      'MIME-Version: 1.0',
      ...mime.fields,
    ]
    const signatures = await signDkim({ fields, body: mime.body, at: how.date }, how.keys)
    const whole = Buffer.concat([Buffer.from(`${[...signatures, ...fields].join('\r\n')}\r\n\r\n`), mime.body])
    if (whole.length > LIMITS.mailBytes) return fail('too-large', '', `the mail has ${whole.length} octets, at most ${LIMITS.mailBytes} are sent`)
    const mail = { from: how.returnPath, rcpt: formatAddress(to), bytes: stuffDots(whole), smtputf8: needsSmtputf8(to), sizeBytes: whole.length }
    return { kind: 'mail', mail }
  }
  return { fromDomain: from.domain, render }
}

function fail(because: NoMail['because'], path: string, message: string): NoMail {
  return { kind: 'no-mail', because, then: 'fail', path, message }
}

function loadAttachments(content: Content, loaded: ReadonlyMap<string, Uint8Array>) {
  const problems: Problem[] = []
  const attachments = (content.attachments ?? []).flatMap((attachment, at) => {
    const bytes = loaded.get(attachment.object)
    if (bytes) return [{ ...attachment, bytes }]
    problems.push({ path: `attachments[${at}].object`, message: `"${attachment.object}" was not loaded` })
    return []
  })
  return { attachments, problems }
}

type Filled = ReadonlyMap<string, string>

/** Every place of the content for one recipient, or why there is no mail for it. */
function fillIn(templates: Templates, scope: Scope, mode: RenderMode, missing: Campaign['missing']): Filled | NoMail {
  const filled = new Map<string, string>()
  for (const [path, template] of templates) {
    const rendering = template.render(scope, mode)
    if (rendering.kind === 'text') filled.set(path, rendering.text)
    else if (rendering.kind === 'broken') return fail('template-broken', path, rendering.message)
    else {
      const message = `names {{ ${rendering.variable} }}, which the recipient does not have`
      return { ...fail('missing-variable', path, message), then: missing === 'skip' ? 'skip' : 'fail' }
    }
  }
  return filled
}

function ownField(name: string, value: string | undefined): string[] {
  return value?.trim() ? [textField(name, value)] : []
}

/** How each body of the mail is made; what is the same for all recipients is made once. A mail with HTML always has a text beside it. */
function bodyEncoders(templates: Templates): ReadonlyMap<BodyKind, (filled: Filled) => EncodedText> {
  const encoders = new Map<BodyKind, (filled: Filled) => EncodedText>()
  const text = templates.get('text')
  const html = templates.get('html')
  if (text)
    encoders.set(
      'text',
      encoder(text, (filled) => filled.get('text') ?? ''),
    )
  else if (html)
    encoders.set(
      'text',
      encoder(html, (filled) => textFromHtml(filled.get('html') ?? '')),
    )
  if (html)
    encoders.set(
      'html',
      encoder(html, (filled) => filled.get('html') ?? ''),
    )
  return encoders
}

function encoder(source: Template, read: (filled: Filled) => string): (filled: Filled) => EncodedText {
  if (source.fixed === null) return (filled) => encodeTextBody(read(filled))
  let once: EncodedText | undefined
  return (filled) => {
    once ??= encodeTextBody(read(filled))
    return once
  }
}
