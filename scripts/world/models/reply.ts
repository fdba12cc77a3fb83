/** One SMTP reply as the far end says it. `wire` is made once, since most replies are said thousands of times.
 *  The world shares no code with the cluster it judges, so it has its own reply. */
export type Reply = {
  readonly code: number
  /** RFC 3463 status, null where the provider gives none */
  readonly enhanced: string | null
  readonly lines: readonly string[]
  /** the bytes, CRLF included */
  readonly wire: string
}

/** `reply(550, '5.1.1', 'first line', 'second line')`; several lines become `550-… 550 …` (RFC 5321 4.2.1). */
export function reply(code: number, enhanced: string | null, ...lines: readonly string[]): Reply {
  const last = lines.length - 1
  const status = enhanced === null ? '' : `${enhanced} `
  const wire = lines.map((line, n) => `${code}${n < last ? '-' : ' '}${status}${line}\r\n`).join('')
  return { code, enhanced, lines, wire }
}

/** `421 4.7.0`: the key under which the record counts replies. */
export function replyKey(said: Reply | null): string {
  if (said === null) return 'silence'
  return said.enhanced === null ? String(said.code) : `${said.code} ${said.enhanced}`
}

export const isPositive = (said: Reply | null): boolean => said !== null && said.code < 400
