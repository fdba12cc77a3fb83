/** Parts of a reply that differ from mail to mail, in the order they are taken out: the larger shapes first. Each is bounded, so that the
 *  whole is linear in the text. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/https?:\/\/[^\s<>"'\])]{1,300}/gi, '<url>'],
  [/[^\s<>()"',;:]{1,64}@[a-z0-9.-]{1,253}/gi, '<addr>'],
  [/\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, '<ip>'],
  [/\b[0-9a-f]{0,4}:[0-9a-f:]{3,40}\b/gi, '<ip>'],
  [/\b(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}\b/gi, '<host>'],
  // Queue ids: letters and digits mixed, six or more.
  [/\b(?=[a-z_-]{0,40}\d)(?=[\d_-]{0,40}[a-z])[a-z0-9_-]{6,80}\b/gi, '<id>'],
  [/\d{1,20}/g, '<n>'],
  [/\s{1,100}/g, ' '],
]

/** A reply's text without what varies, so that equal refusals count as one for `hato doctor` and the ten-alike rule.
 *  At most 200 characters. */
export function normaliseReply(text: string): string {
  let form = text.slice(0, 400)
  for (const [varying, word] of VARYING) form = form.replace(varying, word)
  return form.trim().slice(0, 200)
}
