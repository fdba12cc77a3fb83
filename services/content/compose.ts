import { formatAddress, needsSmtputf8, parseAddress } from '../../protocol/addresses.ts'
import { LIMITS, type Campaign, type Content, type Problem, type Recipient } from '../../protocol/campaign.ts'
import type { EpochMs, Kind } from '../../protocol/words.ts'
import { assembler, boundaryOf, lengthOfTexts, type Mime, stuffDots, writePieces } from './assemble.ts'
import { bodyOf, type EncodedText } from './bodies.ts'
import { type Field, fieldOf, hashBody, signDkim } from './dkim.ts'
import type { DkimKey } from './dkim-keys.ts'
import { complaintField, dateField, kindFields, mailboxField, readUnsubscribe, textField, unsubscribeFields } from './fields.ts'
import { buildSkeleton, type BodyKind } from './skeleton.ts'
import type { RenderMode, Scope } from './liquid.ts'
import type { Signer } from './signer.ts'
import { freshSlabs, type Slabs } from './slabs.ts'
import { fillSlots, joinSlots } from './slots.ts'
import { compileContent, scopeOf, type Template, type Templates } from './template.ts'
import { textBodyFromHtml } from './text-from-html.ts'

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
  /** default: libuv's pool */
  readonly sign?: Signer
  /** where its octets are written; default: fresh memory, and `release` does nothing */
  readonly slabs?: Slabs
}

export interface Mail {
  /** MAIL FROM */
  readonly from: string
  /** RCPT TO, quoted where needed */
  readonly rcpt: string
  /** in their order: CRLF throughout and at the end, dots stuffed, no line over 998, no NUL; the final dot is the session's */
  readonly chunks: readonly Uint8Array[]
  /** octets of memory behind the last chunk that are this mail's too */
  readonly spare: number
  /** the peer must offer SMTPUTF8 (RFC 6531) */
  readonly smtputf8: boolean
  /** octets before dots were stuffed, as MAIL's SIZE counts (RFC 1870) */
  readonly sizeBytes: number
  /** Nobody reads the chunks any more: their memory may be another mail's. To be called once, or never. */
  readonly release: () => void
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
  const bodies = bodyEncoders(templates)
  const assemble = assembler(buildSkeleton([...bodies.keys()], loaded.attachments))
  const fixedFields = {
    sender: sender ? [fieldOf(mailboxField('Sender', sender, undefined))] : [],
    kind: kindFields({ kind, tenant, campaign, list: content.list, fromDomain: from.domain, senderId: about.feedbackId ?? tenant }).map(fieldOf),
    mimeVersion: fieldOf('MIME-Version: 1.0'),
  }
  const hasOwnComplaintField = Object.keys(content.headers ?? {}).some((name) => name.toLowerCase() === 'cfbl-address') // RFC 9477 3.1: one at most
  const saysWhereComplaintsGo = kind !== 'transactional' && !hasOwnComplaintField
  const fromField = remembered((name: string) => fieldOf(mailboxField('From', from, name)))
  const dateOf = remembered((date: EpochMs) => fieldOf(dateField(date)))
  const subjectField = remembered((subject: string) => fieldOf(textField('Subject', subject)))
  const ownFields = Object.keys(content.headers ?? {}).map((name) => ({ path: `headers.${name}`, field: remembered((value: string) => ownField(name, value)) }))

  async function render(recipient: Recipient, how: Rendering): Promise<Rendered> {
    const to = parseAddress(recipient.address)
    if (!to) return fail('bad-address', 'address', `"${recipient.address}" is not an address`)
    const filled = fillIn(templates, scopeOf(recipient), { now: how.date, missing: about.missing === 'empty' ? 'empty' : 'refuse' }, about.missing)
    if ('kind' in filled) return filled
    const replyTo = filled.text('replyTo')?.trim()
    const replyToAddress = replyTo ? parseAddress(replyTo) : null
    if (replyTo && !replyToAddress) return fail('bad-reply-to', 'replyTo', `"${replyTo}" is not an address`)
    const unsubscribe = readUnsubscribe(filled.text('unsubscribe.url'), filled.text('unsubscribe.mailto'))
    if ('problem' in unsubscribe) return fail('bad-unsubscribe', unsubscribe.path, unsubscribe.problem)

    const encoded = new Map<BodyKind, EncodedText>()
    for (const [body, encode] of bodies) encoded.set(body, encode(filled))
    const mime = assemble(encoded, boundaryOf(how.messageId))
    const fields: Field[] = [fromField(filled.text('from.name') ?? ''), ...fixedFields.sender, fieldOf(mailboxField('To', to, recipient.name))]
    if (replyToAddress) fields.push(fieldOf(mailboxField('Reply-To', replyToAddress, undefined)))
    fields.push(subjectField(filled.text('subject') ?? ''), dateOf(how.date), fieldOf(`Message-ID: ${how.messageId}`))
    for (const text of unsubscribeFields(unsubscribe)) fields.push(fieldOf(text))
    fields.push(...fixedFields.kind)
    if (saysWhereComplaintsGo) fields.push(fieldOf(complaintField(how.returnPath)))
    for (const { path, field } of ownFields) fields.push(...field(filled.text(path) ?? ''))
    fields.push(fixedFields.mimeVersion)
    for (const text of mime.fields) fields.push(fieldOf(text))

    let below = ''
    for (const { text } of fields) below += `${text}\r\n`
    below += '\r\n'
    const slabs = how.slabs ?? freshSlabs
    const room = Buffer.byteLength(below) + how.keys.length * SIGNATURE_OCTETS
    const slab = slabs.take(room + lengthOfTexts(mime.body) + SPARE_OCTETS)
    const body = writePieces(mime.body, slab, room)
    let header = ''
    if (how.keys.length > 0) {
      const bodyHash = hashOf(mime, body, slabs)
      for (const signature of await signDkim({ fields, bodyHash, at: how.date }, how.keys, how.sign)) header += `${signature}\r\n`
    }
    const chunks = withHeader(header + below, slab, room, body)
    let sizeBytes = 0
    for (const chunk of chunks) sizeBytes += chunk.length
    if (sizeBytes > LIMITS.mailBytes) {
      slabs.give(slab)
      return fail('too-large', '', `the mail has ${sizeBytes} octets, at most ${LIMITS.mailBytes} are sent`)
    }
    const mail = {
      from: how.returnPath,
      rcpt: formatAddress(to),
      chunks: mime.withoutDots ? chunks : stuffDots(chunks),
      spare: SPARE_OCTETS,
      smtputf8: needsSmtputf8(to),
      sizeBytes,
      release: () => slabs.give(slab),
    }
    return { kind: 'mail', mail }
  }
  return { fromDomain: from.domain, render }
}

/** A DKIM-Signature by RSA-4096 with all fields and a long domain; a longer one costs a chunk of its own. */
const SIGNATURE_OCTETS = 2_048
/** The dot and most envelopes: what a session writes behind a body. */
const SPARE_OCTETS = 512

/** The header in front of the body, in the room that was left for it there. */
function withHeader(header: string, slab: Buffer, room: number, [first, ...rest]: readonly Uint8Array[]): Uint8Array[] {
  const octets = Buffer.byteLength(header)
  if (octets > room || first === undefined) return [Buffer.from(header), ...(first ? [first] : []), ...rest]
  slab.write(header, room - octets)
  return [slab.subarray(room - octets, room + first.length), ...rest]
}

function hashOf(mime: Mime, body: readonly Uint8Array[], slabs: Slabs): string {
  const canonical = mime.canonical()
  if (canonical === mime.body) return hashBody(body)
  const slab = slabs.take(lengthOfTexts(canonical))
  const hash = hashBody(writePieces(canonical, slab, 0))
  slabs.give(slab)
  return hash
}

/** What was asked last is at hand: most fields are the same for all recipients of a campaign. */
function remembered<Key extends string | number, Made>(make: (key: Key) => Made): (key: Key) => Made {
  let last: { readonly key: Key; readonly made: Made } | null = null
  return (key) => {
    if (last?.key !== key) last = { key, made: make(key) }
    return last.made
  }
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

/** Every place of the content with one recipient's values. */
class Filled {
  readonly #templates: Templates
  readonly #values = new Map<string, readonly string[]>()

  constructor(templates: Templates) {
    this.#templates = templates
  }

  put(path: string, values: readonly string[]): void {
    this.#values.set(path, values)
  }

  values(path: string): readonly string[] {
    return this.#values.get(path) ?? []
  }

  /** @returns undefined where the content has no such place */
  text(path: string): string | undefined {
    const template = this.#templates.get(path)
    return template && (template.fixed ?? joinSlots(template.texts, template.order, this.values(path)))
  }
}

/** Every place of the content for one recipient, or why there is no mail for it. */
function fillIn(templates: Templates, scope: Scope, mode: RenderMode, missing: Campaign['missing']): Filled | NoMail {
  const filled = new Filled(templates)
  for (const [path, template] of templates) {
    const values = fillSlots(template, scope, mode)
    if (!('kind' in values)) filled.put(path, values)
    else if (values.kind === 'broken') return fail('template-broken', path, values.message)
    else {
      const message = `names {{ ${values.variable} }}, which the recipient does not have`
      return { ...fail('missing-variable', path, message), then: missing === 'skip' ? 'skip' : 'fail' }
    }
  }
  return filled
}

function ownField(name: string, value: string): readonly Field[] {
  return value.trim() === '' ? [] : [fieldOf(textField(name, value))]
}

type EncodeBody = (filled: Filled) => EncodedText

/** How each body of the mail is made; what is the same for all recipients is made once. A mail with HTML always has a text beside it. */
function bodyEncoders(templates: Templates): ReadonlyMap<BodyKind, EncodeBody> {
  const encoders = new Map<BodyKind, EncodeBody>()
  const text = templates.get('text')
  const html = templates.get('html')
  if (text) encoders.set('text', encoder('text', text, bodyOf(text)))
  else if (html) encoders.set('text', encoder('html', html, textBodyFromHtml(html)))
  if (html) encoders.set('html', encoder('html', html, bodyOf(html)))
  return encoders
}

function encoder(path: string, template: Template, encode: (values: readonly string[]) => EncodedText): EncodeBody {
  if (template.fixed === null) return (filled) => encode(filled.values(path))
  const once = encode([])
  return () => once
}
