/**
 * Finds subject and stream names that are written out where protocol's tables should be asked.
 *
 * A text counts as a subject when it fits a row of `SUBJECTS` token by token; `${…}` fits one token or, at the end, several.
 * In services also when it merely begins as a row does: there `mail.` begins no host name.
 */
import ts from 'typescript'
import { STREAMS } from '../../protocol/streams.ts'
import { SUBJECTS } from '../../protocol/subjects.ts'
import { LANES } from '../../protocol/words.ts'
import { type Finding, inspect } from './sources.ts'

/** Stands for a `${…}` of a template: no source text holds it. */
const HOLE = '\0'

const FORMS = Object.values(SUBJECTS).map(({ on }) => on.split('.'))
const STREAM_NAMES: ReadonlySet<string> = new Set(STREAMS.map(({ name }) => name))
const LANE_NAMES: ReadonlySet<string> = new Set(LANES)

/** The fixed beginning of each row with its dot: `campaign.jobs.`, `mail.`; a row without parameters is its own. */
const LEADS = FORMS.map((form) => {
  const fixed = form.findIndex((token) => token.startsWith('{'))
  return fixed === -1 ? form.join('.') : `${form.slice(0, fixed).join('.')}.`
})

export function findLiterals(file: string, text: string): Finding[] {
  return inspect(file, text, (node) => {
    const written = textOf(node)
    if (written === null) return null
    if (isSubject(written, file.startsWith('services/')))
      return `"${written.replaceAll(HOLE, '${…}')}" is a subject: say subject(), wildcard() or SUBJECTS.<row>.on`
    if (STREAM_NAMES.has(written) && namesStream(node)) return `"${written}" is a stream: say SUBJECTS.<row>.stream`
    return null
  })
}

/** The text of a string or template, null for anything else and where a text is no value: types, module names, property names. */
function textOf(node: ts.Node): string | null {
  const at = node.parent
  if (at && (ts.isLiteralTypeNode(at) || ts.isImportDeclaration(at) || ts.isExportDeclaration(at))) return null
  if (ts.isStringLiteral(node) && ts.isPropertyAssignment(at) && at.name === node) return null
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ literal }) => HOLE + literal.text).join('')
  return null
}

function isSubject(text: string, inServices: boolean): boolean {
  if (/[\s/:=,]/.test(text)) return false // a sentence, a path, a log line
  if (inServices && LEADS.some((lead) => (lead.endsWith('.') ? text.startsWith(lead) : text === lead))) return true
  if (LEADS.some((lead) => lead.endsWith('.') && text === lead)) return true // 'campaign.jobs.' + tenant
  const tokens = text.split('.')
  return FORMS.some((form) => fits(tokens, form))
}

function fits(tokens: readonly string[], form: readonly string[]): boolean {
  if (tokens[0]?.startsWith(HOLE) || tokens[0] === '*') return false
  if (tokens.at(-1) === '>')
    return tokens.length > 1 && tokens.length <= form.length && tokens.slice(0, -1).every((token, at) => tokenFits(token, form[at] ?? ''))
  const tail = form.at(-1)?.endsWith('>}') === true
  if (tail ? tokens.length < form.length : tokens.length !== form.length) return false
  return form.every((piece, at) => tokenFits(tokens[at] ?? '', piece))
}

function tokenFits(token: string, piece: string): boolean {
  if (token === '') return false
  if (piece === '{lane}') return LANE_NAMES.has(token) || token === '*' || token.includes(HOLE)
  return piece.startsWith('{') || token === piece || token === '*'
}

/** MAIL is a verb of SMTP too, so a stream's name counts only where one is expected. */
function namesStream(node: ts.Node): boolean {
  const at = node.parent
  if (ts.isPropertyAssignment(at)) return /^(stream|streams|stream_name|name|source|mirror)$/.test(at.name.getText())
  if (ts.isCallExpression(at)) return /(stream|consumer|consume|publish|direct|bus|jsm|js\b|message)/i.test(at.expression.getText())
  return ts.isVariableDeclaration(at) && /stream/i.test(at.name.getText())
}
