import { Liquid, UndefinedVariableError, type FilterImplOptions, type LiquidErrors, type Template as Node } from 'liquidjs'
import type { EpochMs } from '../../protocol/words.ts'

/**
 * Liquid as campaigns may use it: bounded in time and memory, and with the same result on every sender and at every attempt
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

/** `html` escapes what `{{ }}` writes, unless the template says `raw`. */
export type Flavour = 'plain' | 'html'

/** What a template sees of a recipient. */
export type Scope = Readonly<Record<string, unknown>>

export interface RenderMode {
  /** what `now` means: the mail's Date */
  readonly now: EpochMs
  /** a named variable that the recipient lacks: empty, or the reason why there is no mail */
  readonly missing: 'empty' | 'refuse'
}

export type NoText = { readonly kind: 'missing'; readonly variable: string } | { readonly kind: 'broken'; readonly message: string }
export type Rendering = { readonly kind: 'text'; readonly text: string } | NoText

export interface Parsed {
  readonly nodes: readonly Node[]
  /** Asked for only where the template is short: Liquid looks up line and column of each variable from the beginning of the text (400 KB: 7 s). */
  readonly variables: () => readonly string[]
}

/** @returns what was parsed, or what Liquid says of it, once per error */
export function parse(source: string, flavour: Flavour): Parsed | { readonly errors: readonly string[] } {
  try {
    const nodes = engines[flavour].parse(source)
    return { nodes, variables: () => engines[flavour].globalFullVariablesSync(nodes) }
  } catch (error) {
    const errors = (error as Partial<LiquidErrors>).errors ?? [error as Error] // LiquidErrors, or the tokenizer's single one
    return { errors: errors.map(({ message }) => explain(message)) }
  }
}

export function renderNodes(nodes: readonly Node[], scope: Scope, mode: RenderMode): Rendering {
  const globals: Clock = { clock: mode.now }
  try {
    const text = renderer.renderSync(nodes as Node[], scope, { globals, strictVariables: mode.missing === 'refuse' }) as string
    return { kind: 'text', text }
  } catch (error) {
    if (error instanceof UndefinedVariableError) {
      const original = error.originalError as { variableName?: string } | undefined
      return { kind: 'missing', variable: original?.variableName ?? error.message }
    }
    return { kind: 'broken', message: (error as Error).message }
  }
}

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

/** Liquid's words, plus the reason where the refusal is ours. */
function explain(message: string): string {
  const filter = /^undefined filter: (\w+)/.exec(message)?.[1]
  if (filter && IS_RANDOM.has(filter)) return `${message}: a recipient's mail never changes between attempts, so nothing in it is random`
  const tag = /^tag "(\w+)" not found/.exec(message)?.[1]
  if (tag && READS_FILES.includes(tag)) return `${message}: a template stands alone, put its text into the campaign`
  return message
}
