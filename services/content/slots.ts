import { Output, Tag, type Template as Node } from 'liquidjs'
import { LIMITS } from '../../protocol/campaign.ts'
import { type Flavour, type NoText, renderNodes, type RenderMode, type Scope } from './liquid.ts'

/**
 * A template as what is the same for all recipients and what is not:
 *
 *   texts[0] value(order[0]) texts[1] value(order[1]) … texts[n]
 *
 * `{{ x }}` and whole blocks such as `{% if %}…{% endif %}` are slots; an expression that stands a hundred times is one slot, filled
 * once per mail. A template whose parts depend on one another (`assign`, `capture`, `cycle`, …) is a single slot from end to end.
 */
export interface Slotted {
  readonly texts: readonly string[]
  /** one index into `slots` for each gap between `texts` */
  readonly order: readonly number[]
  readonly slots: readonly Slot[]
  /** how often each slot stands in `order` */
  readonly uses: readonly number[]
  /** every slot writes text only: no value of an HTML template brings markup of its own */
  readonly textOnly: boolean
}

/** @returns the text, or why there is none for this recipient */
export type Slot = (scope: Scope, mode: RenderMode) => string | NoText

/** Tags that leave nothing behind for what follows them. */
const STANDS_ALONE: ReadonlySet<string> = new Set([
  ...['if', 'elsif', 'else', 'endif', 'unless', 'endunless', 'case', 'when', 'endcase'],
  ...['for', 'endfor', 'break', 'comment', 'endcomment', 'raw', 'endraw', 'echo', '#'],
])
/** `{{ name }}` and nothing else: read without Liquid. The words are Liquid's own. */
const PLAIN = /^\{\{-?\s*(?!(?:true|false|nil|null|empty|blank|not|and|or|contains)\b)([A-Za-z_]\w*)\s*-?\}\}$/
/** Longer values go through Liquid, which counts them against its memory limit. */
const PLAIN_CHARACTERS = 10_000

export function withoutSlots(text: string): Slotted {
  return { texts: [text], order: [], slots: [], uses: [], textOnly: true }
}

export function intoSlots(source: string, nodes: readonly Node[], flavour: Flavour): Slotted {
  if (!partsStandAlone(source, nodes)) return { texts: ['', ''], order: [0], slots: [liquidSlot(nodes)], uses: [1], textOnly: false }
  const texts: string[] = []
  const order: number[] = []
  const slots: Slot[] = []
  const uses: number[] = []
  const known = new Map<string, number>()
  let textOnly = true
  let text = ''
  for (const node of nodes) {
    if (!(node instanceof Output || node instanceof Tag)) {
      text += (node as unknown as { str: string }).str // Liquid's HTML node, which it does not export
      continue
    }
    const spelled = node instanceof Output ? node.token.getText() : null
    if (spelled === null || /\|\s*raw\b/.test(spelled)) textOnly = false
    let slot = spelled === null ? undefined : known.get(spelled)
    if (slot === undefined) {
      slot = slots.push(slotOf(node, spelled, flavour)) - 1
      if (spelled !== null) known.set(spelled, slot)
    }
    texts.push(text)
    order.push(slot)
    uses[slot] = (uses[slot] ?? 0) + 1
    text = ''
  }
  return { texts: [...texts, text], order, slots, uses, textOnly }
}

/** The values of all slots for one recipient, or the first reason why there are none. */
export function fillSlots({ slots, uses }: Slotted, scope: Scope, mode: RenderMode): readonly string[] | NoText {
  const values: string[] = []
  let characters = 0
  for (let at = 0; at < slots.length; at++) {
    const value = slots[at]!(scope, mode)
    if (typeof value !== 'string') return value
    characters += value.length * (uses[at] ?? 0)
    if (characters > LIMITS.mailBytes) return { kind: 'broken', message: `renders to more than ${LIMITS.mailBytes} characters` }
    values.push(value)
  }
  return values
}

/** The pieces with their values between them. */
export function joinSlots(pieces: readonly string[], order: readonly number[], values: readonly string[]): string {
  let text = pieces[0] ?? ''
  for (let at = 0; at < order.length; at++) text += (values[order[at]!] ?? '') + (pieces[at + 1] ?? '')
  return text
}

function partsStandAlone(source: string, nodes: readonly Node[]): boolean {
  for (const [, tag = ''] of source.matchAll(/\{%-?\s*(\w+|#)?/g)) if (!STANDS_ALONE.has(tag)) return false
  if (/\bcontinue\b/.test(source)) return false // `offset: continue` remembers where another loop ended
  return nodes.every((node) => node instanceof Output || (node instanceof Tag && node.name !== 'break') || typeof (node as { str?: unknown }).str === 'string')
}

function slotOf(node: Node, spelled: string | null, flavour: Flavour): Slot {
  const name = spelled === null ? undefined : PLAIN.exec(spelled)?.[1]
  const byLiquid = liquidSlot([node])
  if (name === undefined) return byLiquid
  return (scope, mode) => {
    const value = Object.hasOwn(scope, name) ? scope[name] : undefined
    if (typeof value === 'number') return String(value)
    // What is missing, or a list, or an object, is Liquid's to judge.
    if (typeof value !== 'string' || value.length > PLAIN_CHARACTERS) return byLiquid(scope, mode)
    return flavour === 'html' ? escapeHtml(value) : value
  }
}

function liquidSlot(nodes: readonly Node[]): Slot {
  return (scope, mode) => {
    const rendering = renderNodes(nodes, scope, mode)
    return rendering.kind === 'text' ? rendering.text : rendering
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

/** As Liquid's `escape` does it. */
function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character) : text
}
