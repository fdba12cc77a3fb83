/**
 * A scenario's twin: the one change that switches its rule off. `npm run test:twins` applies it to a copy of the tree and demands that the
 * scenario fails there, so that none is green because it looks at nothing. A twin file is data: it imports this type and no more.
 */
export interface Twin {
  /** where the rule stands: `delivery.md §3` */
  readonly rule: string
  /** from the project's root */
  readonly file: string
  /** a snippet that occurs exactly once in the file */
  readonly is: string
  /** the same with the rule off */
  readonly becomes: string
  /** what the scenario sees without the rule, in a sentence */
  readonly breaks: string
}

/** The file's text with its rule off. Throws when the snippet is not there exactly once: a twin that changes nothing proves nothing. */
export function switchOff(text: string, { file, is, becomes }: Twin): string {
  const found = text.split(is).length - 1
  if (is === '' || found !== 1) throw new Error(`${file}: the twin's snippet stands there ${found} times, not once: ${is}`)
  if (is === becomes) throw new Error(`${file}: the twin changes nothing`)
  return text.replace(is, () => becomes) // a function, since `$&` in a replacement would be read as a pattern
}
