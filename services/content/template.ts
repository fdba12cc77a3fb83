import type { Content, Problem, Recipient } from '../../protocol/campaign.ts'
import { type Flavour, parse, type RenderMode, type Rendering, type Scope } from './liquid.ts'
import { fillSlots, intoSlots, joinSlots, type Slotted, withoutSlots } from './slots.ts'

/** The templates of a campaign: compiled once, rendered per recipient. */

export interface Template extends Slotted {
  /** the whole text when there is no Liquid in it, else null */
  readonly fixed: string | null
  /** the variables it names, with their paths: `name`, `order.items`; quadratic in the template's length */
  readonly variables: () => readonly string[]
  readonly render: (scope: Scope, mode: RenderMode) => Rendering
}

/** @returns the compiled template, or every problem Liquid finds in it. `path` names the place in the campaign. */
export function compileTemplate(path: string, source: string, flavour: Flavour): Template | readonly Problem[] {
  if (!source.includes('{{') && !source.includes('{%')) {
    return { ...withoutSlots(source), fixed: source, variables: () => [], render: () => ({ kind: 'text', text: source }) }
  }
  const parsed = parse(source, flavour)
  if ('errors' in parsed) return parsed.errors.map((message) => ({ path, message }))
  const slotted = intoSlots(source, parsed.nodes, flavour)
  return { ...slotted, fixed: null, variables: parsed.variables, render: (scope, mode) => renderSlotted(slotted, scope, mode) }
}

function renderSlotted(slotted: Slotted, scope: Scope, mode: RenderMode): Rendering {
  const values = fillSlots(slotted, scope, mode)
  return 'kind' in values ? values : { kind: 'text', text: joinSlots(slotted.texts, slotted.order, values) }
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
