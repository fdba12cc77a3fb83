import { counted } from '../format.ts'
import type { Paint, Style } from '../screen.ts'
import { printable, widthOf, wrap } from '../text.ts'
import type { Chapter, Diagnosis, Verdict } from './diagnosis.ts'

const MARKS: Readonly<Record<Verdict, readonly [mark: string, style: Style]>> = {
  good: ['✓', 'green'],
  note: ['·', 'dim'],
  warning: ['!', 'yellow'],
  bad: ['✗', 'red'],
  unknown: ['?', 'yellow'],
}
const WIDEST = 110

export function chapterLines({ title, lines }: Chapter, { paint, width }: { readonly paint: Paint; readonly width: number }): string[] {
  return [paint('bold', title), ...lines.flatMap((line) => diagnosisLines(line, paint, Math.min(width, WIDEST)))]
}

function diagnosisLines({ verdict, says, more = [], publish }: Diagnosis, paint: Paint, width: number): string[] {
  const [mark, style] = MARKS[verdict]
  const [first = '', ...rest] = wrap(printable(says), width - 4)
  return [
    `  ${paint(style, mark)} ${first}`,
    ...rest.map((line) => `    ${line}`),
    ...more.flatMap((line) => wrap(printable(line), width - 6)).map((line) => `      ${line}`),
    // Never broken: it is there to be copied.
    ...(publish ? publishLines(publish, paint, width) : []),
  ]
}

function publishLines({ name, type, text }: NonNullable<Diagnosis['publish']>, paint: Paint, width: number): string[] {
  const head = `      publish ${paint('bold', name)} ${type}`
  return widthOf(head) + 1 + widthOf(text) <= width ? [`${head} ${text}`] : [head, `        ${text}`]
}

/** `2 things are wrong, 1 deserves a look` */
export function verdictLine(chapters: readonly Chapter[], paint: Paint): string {
  const count = (verdict: Verdict) => chapters.flatMap(({ lines }) => lines).filter((line) => line.verdict === verdict).length
  const [wrong, worth, unsure] = [count('bad'), count('warning'), count('unknown')]
  const parts = [
    ...(wrong > 0 ? [paint('red', `${counted(wrong, 'thing')} ${wrong === 1 ? 'is' : 'are'} wrong`)] : []),
    ...(worth > 0 ? [paint('yellow', `${counted(worth, 'thing')} ${worth === 1 ? 'deserves' : 'deserve'} a look`)] : []),
    ...(unsure > 0 ? [`${counted(unsure, 'thing')} could not be found out`] : []),
  ]
  return parts.length === 0 ? paint('green', 'All is well.') : `${parts.join(', ')}.`
}

export function isHealthy(chapters: readonly Chapter[]): boolean {
  return chapters.every(({ lines }) => lines.every(({ verdict }) => verdict !== 'bad'))
}
