import type { Extensions } from './types.ts'

/**
 * What a peer offers, from its EHLO reply as nodemailer gives it: lines with codes, joined by LF (RFC 5321 4.1.1.1). The first line is the
 * peer's own name and greeting, never an extension. The reply to HELO has only that line: nothing is offered.
 */
export function parseEhlo(reply: string): { readonly extensions: Extensions; readonly greeting: string } {
  const [first = '', ...rest] = reply.split('\n').map((line) => line.slice(4).trim())
  const keywords = new Set<string>()
  let sizeMax: number | null = null
  for (const line of rest) {
    const [keyword = '', argument = ''] = line.split(/[ =]+/)
    if (keyword === '') continue
    keywords.add(keyword.toUpperCase())
    // RFC 1870 4: 0 or nothing = no fixed limit
    if (keyword.toUpperCase() === 'SIZE' && /^[1-9]\d{0,14}$/.test(argument)) sizeMax = Number(argument)
  }
  return { extensions: { keywords, sizeMax }, greeting: first }
}
