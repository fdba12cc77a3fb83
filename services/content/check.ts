import { domainToASCII } from 'node:url'
import { addressProblem, isRoleAddress, needsSmtputf8, parseAddress } from '../../protocol/addresses.ts'
import { LIMITS, problemPath, type Attachment, type Content, type Problem, type Recipient } from '../../protocol/campaign.ts'
import type { Kind } from '../../protocol/words.ts'
import { encodedSize } from './base64.ts'
import { headerProblems } from './headers.ts'
import { compileContent, scopeOf, type Template, type Templates } from './template.ts'

/** What acceptance asks of a campaign's content (delivery.md §1, §2, §10): every problem at once, each with its path. */

export interface Asked {
  readonly kind: Kind
  /** the tenant's `domains` */
  readonly domains: readonly string[]
  /** octets of each object that `attachments` name; an object that is not in it does not exist. Absent = not looked up yet */
  readonly objectSizes?: ReadonlyMap<string, number>
  /** some recipients, to see that two of them get different unsubscribe links */
  readonly sample?: readonly Recipient[]
}

export function checkContent(content: Content, asked: Asked): readonly Problem[] {
  const { templates, problems } = compileContent(content)
  return [
    ...senderProblems(content, asked.domains),
    ...lineProblems(content),
    ...problems,
    ...trialProblems(templates, asked.sample),
    ...headerProblems(content.headers ?? {}),
    ...bodyProblems(content),
    ...unsubscribeProblems(content, asked, templates),
    ...attachmentProblems(content, asked.objectSizes),
  ]
}

/** What compiles may still loop for ever: each template is rendered once for somebody of the list, within the limits that hold when it is sent. */
function trialProblems(templates: Templates, sample: readonly Recipient[] | undefined): Problem[] {
  const scope = scopeOf(sample?.[0] ?? { address: 'somebody@example.com' })
  return [...templates].flatMap(([path, template]) => {
    const rendered = template.fixed === null ? template.render(scope, { now: 0, missing: 'empty' }) : null
    return rendered?.kind === 'broken' ? [{ path, message: `does not render (tried for ${sample?.[0]?.address ?? 'an example'}): ${rendered.message}` }] : []
  })
}

function senderProblems(content: Content, domains: readonly string[]): Problem[] {
  const problems: Problem[] = []
  const places: [string, string | undefined][] = [
    ['from.address', content.from.address],
    ['sender', content.sender],
  ]
  for (const [path, address] of places) {
    if (address === undefined) continue
    const parsed = parseAddress(address)
    if (/\{[{%]/.test(address)) problems.push({ path, message: 'must not vary by recipient; a template has no place here' })
    else if (!parsed) problems.push({ path, message: addressProblem(address) ?? '' })
    else if (needsSmtputf8(parsed)) problems.push({ path, message: 'must be in ASCII before the @: few receivers take SMTPUTF8' })
    else if (!domains.some((domain) => lies(parsed.domain, domainToASCII(domain)))) {
      problems.push({ path, message: `${parsed.domain} is not a domain of this tenant (${domains.join(', ') || 'it has none'})` })
    }
  }
  if (/\{[{%]/.test(content.from.name ?? '')) problems.push({ path: 'from.name', message: 'must not vary by recipient: who writes is one and the same' })
  const { replyTo } = content
  if (replyTo !== undefined && !/\{[{%]/.test(replyTo)) {
    const message = addressProblem(replyTo.trim())
    if (message) problems.push({ path: 'replyTo', message })
  }
  return problems
}

function lies(domain: string, within: string): boolean {
  return domain === within || domain.endsWith(`.${within}`)
}

/** NOTE: the schema refuses these too; a content that comes from elsewhere than the public door is checked here as well. */
function lineProblems(content: Content): Problem[] {
  const places: [string, string | undefined][] = [
    ['subject', content.subject],
    ['from.name', content.from.name],
    [problemPath(['list', 'name']), content.list?.name],
    ...(content.attachments ?? []).map(({ filename }, at): [string, string] => [`attachments[${at}].filename`, filename]),
  ]
  return places.filter(([, text]) => /[\r\n\0]/.test(text ?? '')).map(([path]) => ({ path, message: 'must not contain CR, LF or NUL' }))
}

function bodyProblems({ text, html, subject, attachments = [] }: Content): Problem[] {
  const problems: Problem[] = []
  if (subject.trim() === '') problems.push({ path: 'subject', message: 'is empty' })
  if (!text?.trim() && !html?.trim()) problems.push({ path: 'text', message: 'is missing, and so is `html`: the mail would be empty' })
  const cids = attachments.flatMap(({ cid }) => cid ?? [])
  for (const [, named = ''] of (html ?? '').matchAll(/["'(]cid:([^"')\s]+)/gi)) {
    if (!named.includes('{{') && !cids.includes(decodeURI(named)))
      problems.push({ path: 'html', message: `shows cid:${named}, but no attachment has that cid` })
  }
  return problems
}

function unsubscribeProblems(content: Content, { kind, sample = [] }: Asked, templates: Templates): Problem[] {
  const problems: Problem[] = []
  const url = content.unsubscribe?.url
  if (kind === 'marketing' && !content.list) problems.push({ path: 'list', message: 'is missing: marketing belongs to a list that people can leave' })
  if (kind === 'marketing' && url === undefined) {
    problems.push({ path: 'unsubscribe.url', message: 'is missing: marketing needs a one-click unsubscribe (RFC 8058), an https URL of the recipient’s own' })
  }
  if (url === undefined) return problems
  if (!/^\s*(?:https:\/\/[^\s]|\{[{%])/i.test(url)) problems.push({ path: 'unsubscribe.url', message: 'must begin with https:// (RFC 8058)' })
  const template = templates.get('unsubscribe.url')
  if (kind !== 'marketing' || !template) return problems
  const pair = alike(template, sample)
  if (template.variables().length === 0) {
    problems.push({ path: 'unsubscribe.url', message: 'is the same for every recipient; it must name who unsubscribes, as in https://…/{{ token }}' })
  } else if (pair !== null) {
    const message = `is the same for ${pair[0]} and ${pair[1]} once rendered; it must name who unsubscribes, as in https://…/{{ token }}`
    problems.push({ path: 'unsubscribe.url', message })
  }
  return problems
}

/** Of a list that is read from an object: the same for who is on it as for who stands in a message. */
export function oneClickProblems(content: Content, sample: readonly Recipient[]): readonly Problem[] {
  return unsubscribeProblems(content, { kind: 'marketing', domains: [], sample }, compileContent(content).templates)
}

/** The two recipients of the sample who would get the same link; null when each has one of its own. What does not render is another problem. */
function alike(template: Template, sample: readonly Recipient[]): readonly [string, string] | null {
  const whose = new Map<string, string>()
  for (const recipient of sample) {
    const rendered = template.render(scopeOf(recipient), { now: 0, missing: 'refuse' })
    if (rendered.kind !== 'text') continue
    const other = whose.get(rendered.text)
    if (other !== undefined && other !== recipient.address) return [other, recipient.address]
    whose.set(rendered.text, recipient.address)
  }
  return null
}

const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}(?:\s*;\s*[a-z0-9-]+=(?:[\w.+-]+|"[^"\\\r\n]*"))*$/i
const CONTENT_ID = /^[!#-;=?-~]{1,200}$/ // printable ASCII without space, quotes and angle brackets

function attachmentProblems(content: Content, sizes: ReadonlyMap<string, number> | undefined): Problem[] {
  const attachments = content.attachments ?? []
  const problems = attachments.flatMap((attachment, at) =>
    attachmentProblem(attachment, content).map(({ path, message }) => ({ path: `attachments[${at}].${path}`, message })),
  )
  const cids = attachments.flatMap(({ cid }) => cid ?? [])
  for (const cid of new Set(cids.filter((one, at) => cids.indexOf(one) !== at))) {
    problems.push({ path: 'attachments', message: `has more than one attachment with the cid "${cid}"` })
  }
  for (const [at, { object }] of attachments.entries()) {
    if (sizes && !sizes.has(object)) problems.push({ path: `attachments[${at}].object`, message: `there is no object "${object}" in the object store` })
  }
  const attached = attachments.reduce((sum, { object }) => sum + encodedSize(sizes?.get(object) ?? 0), 0)
  const written = Buffer.byteLength(content.text ?? '') + Buffer.byteLength(content.html ?? '')
  if (attached + written > LIMITS.mailBytes) {
    const message = `the mail would have ${attached + written} octets once encoded, at most ${LIMITS.mailBytes} are sent`
    problems.push({ path: attached > 0 ? 'attachments' : 'html', message })
  }
  return problems
}

function attachmentProblem({ filename, contentType, cid }: Attachment, { html }: Content): Problem[] {
  const problems: Problem[] = []
  if (filename.trim() === '') problems.push({ path: 'filename', message: 'is empty' })
  if (!MEDIA_TYPE.test(contentType)) problems.push({ path: 'contentType', message: `"${contentType}" is not a media type such as application/pdf` })
  if (/^(?:multipart|message)\//i.test(contentType)) {
    problems.push({ path: 'contentType', message: `${contentType} cannot be attached (RFC 2046 5.2.1 forbids to encode it); use application/octet-stream` })
  }
  if (cid && !CONTENT_ID.test(cid)) problems.push({ path: 'cid', message: 'must be printable ASCII without spaces and angle brackets' })
  if (cid && !html) problems.push({ path: 'cid', message: 'is for pictures in `html`, which is missing' })
  return problems
}

/** Why this recipient cannot get mail of this kind; null when it can. Templates are not rendered here. */
export function recipientProblem(recipient: Recipient, kind: Kind): string | null {
  const problem = addressProblem(recipient.address)
  if (problem) return problem
  const parsed = parseAddress(recipient.address)
  if (kind === 'marketing' && parsed && isRoleAddress(parsed)) return `${recipient.address} is an office, not a subscriber; no marketing goes there`
  return null
}
