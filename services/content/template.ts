import { Liquid, UndefinedVariableError, type LiquidErrors, type FilterImplOptions, type Template as Node } from 'liquidjs'
import type { Content, Problem, Recipient } from '../../protocol/campaign.ts'
import type { EpochMs } from '../../protocol/words.ts'

/**
 * Liquid templates of a campaign: compiled once, rendered per recipient, with the same result on every sender and at every attempt
 * (delivery.md §4). So: nothing random, no clock but the mail's own Date, no time zone of the machine, no files.
 */

const PARSE_LIMIT_CHARACTERS = 8_000_000 // a campaign message is not larger
/** Characters and list elements one rendering may create; ends `(1..10⁹)` and string doubling at the same step on every machine. */
const MEMORY_LIMIT = 4_000_000
/** The backstop for what the memory limit does not count. A template of 100 KB renders in about 1 ms. */
const RENDER_LIMIT_MS = 500

const READS_FILES = ['include', 'render', 'layout', 'block']
const IS_RANDOM: ReadonlySet<string> = new Set(['sample', 'shuffle', 'random', 'rand', 'pick', 'spin', 'spintax', 'uuid'])
const DATE_FILTERS = ['date', 'date_to_xmlschema', 'date_to_rfc822', 'date_to_string', 'date_to_long_string']
/** An ISO 8601 date with a time but without a zone: JavaScript would read it in the machine's own. */
const ZONELESS = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/

/** Renders what an engine below has parsed; stops at the first error. */
const renderer = new Liquid(limits())
const engines = { plain: engine(undefined), html: engine('escape') } as const

export interface Template {
  /** the whole text when there is no Liquid in it, else null */
  readonly fixed: string | null
  /** the variables it names, with their paths: `name`, `order.items` */
  readonly variables: readonly string[]
  readonly render: (scope: Scope, mode: RenderMode) => Rendering
}

/** What a template sees of a recipient. */
export type Scope = Readonly<Record<string, unknown>>

export interface RenderMode {
  /** what `now` means: the mail's Date */
  readonly now: EpochMs
  /** a named variable that the recipient lacks: empty, or the reason why there is no mail */
  readonly missing: 'empty' | 'refuse'
}

export type Rendering =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing'; readonly variable: string }
  | { readonly kind: 'broken'; readonly message: string }

function limits() {
  return {
    templates: {}, // no file system behind partials
    strictFilters: true,
    lenientIf: true, // `{% if vip %}` and `{{ name | default: '…' }}` ask whether a variable is there; that is no lack
    ownPropertyOnly: true,
    timezoneOffset: 0,
    preserveTimezones: true, // 09:00+09:00 shows as 09:00
    locale: 'en-US',
    parseLimit: PARSE_LIMIT_CHARACTERS,
    memoryLimit: MEMORY_LIMIT,
    renderLimit: RENDER_LIMIT_MS,
  }
}

function engine(outputEscape: 'escape' | undefined): Liquid {
  const liquid = new Liquid({ ...limits(), catchAllErrors: true, ...(outputEscape ? { outputEscape } : {}) })
  for (const tag of READS_FILES) delete liquid.tags[tag]
  for (const filter of IS_RANDOM) liquid.unregisterFilter(filter)
  for (const name of DATE_FILTERS) {
    const original = liquid.filters[name] as FilterFunction
    const steady: FilterFunction = function (value, ...rest) {
      return original.call(this, steadyDate(value, this.context.globals), ...rest)
    }
    liquid.registerFilter(name, steady)
  }
  return liquid
}

type FilterFunction = Extract<FilterImplOptions, (...rest: never[]) => unknown>

function steadyDate(value: unknown, globals: object): unknown {
  if (value === 'now' || value === 'today') return (globals as Clock).clock / 1_000 // Liquid counts in seconds
  if (typeof value === 'string' && ZONELESS.test(value)) return `${value.replace(' ', 'T')}Z`
  return value
}

interface Clock {
  readonly clock: EpochMs
}

/** @returns the compiled template, or every problem Liquid finds in it. `path` names the place in the campaign. */
export function compileTemplate(path: string, source: string, flavour: 'plain' | 'html'): Template | readonly Problem[] {
  if (!source.includes('{{') && !source.includes('{%')) {
    return { fixed: source, variables: [], render: () => ({ kind: 'text', text: source }) }
  }
  let nodes: Node[]
  let variables: string[]
  try {
    nodes = engines[flavour].parse(source)
    variables = engines[flavour].globalFullVariablesSync(nodes)
  } catch (error) {
    const errors = (error as Partial<LiquidErrors>).errors ?? [error as Error] // LiquidErrors, or the tokenizer's single one
    return errors.map(({ message }) => ({ path, message: explain(message) }))
  }
  return { fixed: null, variables, render: (scope, mode) => renderNodes(nodes, scope, mode) }
}

/** Liquid's words, plus the reason where the refusal is ours. */
function explain(message: string): string {
  const filter = /^undefined filter: (\w+)/.exec(message)?.[1]
  if (filter && IS_RANDOM.has(filter)) return `${message}: a recipient's mail never changes between attempts, so nothing in it is random`
  const tag = /^tag "(\w+)" not found/.exec(message)?.[1]
  if (tag && READS_FILES.includes(tag)) return `${message}: a template stands alone, put its text into the campaign`
  return message
}

function renderNodes(nodes: Node[], scope: Scope, mode: RenderMode): Rendering {
  const globals: Clock = { clock: mode.now }
  try {
    const text = renderer.renderSync(nodes, scope, { globals, strictVariables: mode.missing === 'refuse' }) as string
    return { kind: 'text', text }
  } catch (error) {
    if (error instanceof UndefinedVariableError) {
      const original = error.originalError as { variableName?: string } | undefined
      return { kind: 'missing', variable: original?.variableName ?? error.message }
    }
    return { kind: 'broken', message: (error as Error).message }
  }
}

/**
 * The recipient as templates see it: its own fields, then `vars` over them. A variable that is null counts as missing;
 * an empty string does not (lists in CSV cannot say null).
 */
export function scopeOf(recipient: Pick<Recipient, 'address' | 'name' | 'ref' | 'vars'>): Scope {
  const scope: Record<string, unknown> = { address: recipient.address }
  if (recipient.name !== undefined) scope.name = recipient.name
  if (recipient.ref !== undefined) scope.ref = recipient.ref
  for (const [key, value] of Object.entries(recipient.vars ?? {})) if (value !== null && value !== undefined) scope[key] = value
  return scope
}

/** Every place of a campaign's content that may hold Liquid, by its path in the campaign. */
export type Templates = ReadonlyMap<string, Template>

/** Compiles all places at once. Attachments' names, addresses of From and Sender, and the list are not templates. */
export function compileContent(content: Content): { readonly templates: Templates; readonly problems: readonly Problem[] } {
  const templates = new Map<string, Template>()
  const problems: Problem[] = []
  for (const [path, source] of templatePlaces(content)) {
    const compiled = compileTemplate(path, source, path === 'html' ? 'html' : 'plain')
    if ('render' in compiled) templates.set(path, compiled)
    else problems.push(...compiled)
  }
  return { templates, problems }
}

function templatePlaces(content: Content): [path: string, source: string][] {
  const places: [string, string | undefined][] = [
    ['from.name', content.from.name],
    ['replyTo', content.replyTo],
    ['subject', content.subject],
    ['text', content.text],
    ['html', content.html],
    ...Object.entries(content.headers ?? {}).map(([name, value]): [string, string] => [`headers.${name}`, value]),
    ['unsubscribe.url', content.unsubscribe?.url],
    ['unsubscribe.mailto', content.unsubscribe?.mailto],
  ]
  return places.filter((place): place is [string, string] => place[1] !== undefined)
}

/** All problems of all templates; for acceptance. */
export function checkTemplates(content: Content): readonly Problem[] {
  return compileContent(content).problems
}

/** What this recipient lacks, place by place; empty when its mail can be rendered. Renders, so it costs what a mail costs. */
export function missingVariables(templates: Templates, recipient: Recipient): readonly Problem[] {
  const scope = scopeOf(recipient)
  const problems: Problem[] = []
  for (const [path, template] of templates) {
    const rendering = template.render(scope, { now: 0, missing: 'refuse' })
    if (rendering.kind === 'missing') problems.push({ path, message: `names {{ ${rendering.variable} }}, which the recipient does not have` })
    if (rendering.kind === 'broken') problems.push({ path, message: rendering.message })
  }
  return problems
}
