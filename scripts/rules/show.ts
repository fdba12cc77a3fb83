/** A coverage as lines for a person. Pure. */
import { REPLY_CLASSES, type ReplyClass } from '../../protocol/words.ts'
import type { Paint } from '../cli/screen.ts'
import { type Coverage, holds, type Judged } from './coverage.ts'

export function coverageLines(found: Coverage, paint: Paint): string[] {
  return [
    paint('bold', 'Rules'),
    figure('rows', found.rows),
    figure('samples', found.samples),
    figure('providers', found.providers, 'with rows of their own'),
    figure('shadowed', found.shadowed.length, 'rows whose sample an earlier row takes', found.shadowed.length > 0 ? paint : undefined),
    ...found.shadowed.map(({ id, by }) => `  ${id} by ${by.map((one) => one ?? 'no row').join(', ')}`),
    '',
    paint('bold', 'Corpus'),
    figure('replies', found.replies, `${found.copies.length} of them a row's sample; ${found.ownWords} in words that no sample has`),
    figure('class right', found.rightClass, percent(found.rightClass, found.replies)),
    figure('blame right', found.rightBlame, percent(found.rightBlame, found.replies)),
    figure('both right', found.right, `${percent(found.right, found.replies)}; the rules were mended by this corpus, so a floor and no forecast`),
    figure('suppressed', found.wronglySuppressed.length, 'though the recipient is valid', found.wronglySuppressed.length > 0 ? paint : undefined),
    ...found.wronglySuppressed.map(missLine),
    '',
    paint('bold', 'Expected (lines) × got (columns)'),
    ...confusionLines(found.confusion, paint),
    ...(found.misses.length === 0 ? [] : ['', paint('bold', 'Read otherwise than expected'), ...found.misses.map(missLine)]),
    '',
    holds(found) ? paint('green', 'The rules hold.') : paint('red', 'The rules do not hold: a row is shadowed, or a valid recipient would be suppressed.'),
  ]
}

/** `paint`: what is wrong stands out. */
function figure(name: string, value: number, remark = '', paint?: Paint): string {
  const text = `  ${name.padEnd(12)}${String(value).padStart(5)}`
  return `${paint ? paint('red', text) : text}${remark === '' ? '' : `  ${remark}`}`
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`
}

function missLine({ provider, stage, class: expected, blames, reply, got }: Judged): string {
  const cut = reply.length > 90 ? `${reply.slice(0, 89)}…` : reply
  return `  ${expected}/${blames} was read as ${got.class}/${got.blames} by ${got.row ?? `the default of ${stage}`}: ${cut}${provider ? ` (${provider})` : ''}`
}

const CELL = 4

/** A column is called by its class's number, or the table would be wider than any screen. */
function confusionLines(confusion: Coverage['confusion'], paint: Paint): string[] {
  const seen = new Set(Object.entries(confusion).flatMap(([expected, got]) => [expected, ...Object.keys(got)]))
  const classes = REPLY_CLASSES.filter((one) => seen.has(one))
  const width = Math.max(...classes.map((one) => one.length), 0)
  const line = (at: number, name: string, cells: readonly string[]) => `  ${at === 0 ? '  ' : String(at).padStart(2)} ${name.padEnd(width)}${cells.join('')}`
  return [
    paint(
      'dim',
      line(
        0,
        '',
        classes.map((_, at) => String(at + 1).padStart(CELL)),
      ),
    ),
    ...classes.map((expected, at) =>
      line(
        at + 1,
        expected,
        classes.map((got) => cell(confusion, expected, got, paint)),
      ),
    ),
  ]
}

function cell(confusion: Coverage['confusion'], expected: ReplyClass, got: ReplyClass, paint: Paint): string {
  const count = confusion[expected]?.[got] ?? 0
  const text = (count === 0 ? '·' : String(count)).padStart(CELL)
  if (count === 0) return paint('dim', text)
  return expected === got ? text : paint('yellow', text)
}
