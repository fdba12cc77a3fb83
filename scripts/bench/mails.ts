/** The mails of every contender: the same words, so many KB of HTML, the recipient's name and number in every paragraph. */
import MailComposer from 'nodemailer/lib/mail-composer'

export const FROM = { name: 'Acme', domain: 'acme.example' }
export const DOMAINS = ['d0.sink.example', 'd1.sink.example', 'd2.sink.example', 'd3.sink.example'] as const

export interface Recipient {
  readonly address: string
  readonly ref: string
  readonly vars: { readonly name: string }
}

/** The n-th recipient of a run. */
export function recipient(n: number): Recipient {
  return { address: `r${n}@${DOMAINS[n % DOMAINS.length]}`, ref: `c-${n}`, vars: { name: `Reader ${n}` } }
}

export const SUBJECT = 'News for {{ name }}'
export const TEXT = 'Dear {{ name }},\n\nthe news are in the HTML part. Your number is {{ ref }}.\n'

const PARAGRAPH =
  '<p>Dear {{ name }}, the quick brown fox ({{ ref }}) jumps over the lazy dog, and whoever reads this far gets\n<a href="https://acme.example/news?r={{ ref }}">all of the story</a> with pictures, prices and opening hours of this week.</p>\n'

/** Liquid that renders to some `kb` KB. */
export function html(kb: number): string {
  const paragraphs = Math.max(1, Math.round((kb * 1_024) / fill(PARAGRAPH, recipient(5_000)).length))
  return `<html><body>\n${PARAGRAPH.repeat(paragraphs)}</body></html>\n`
}

/** What a program does that uses no template engine. */
export function fill(template: string, { ref, vars }: Recipient): string {
  return template.replaceAll('{{ name }}', vars.name).replaceAll('{{ ref }}', ref)
}

/** The finished octets of some mails, dots stuffed, for those that render nothing: `count` of them, each another reader's. */
export async function prebuilt(kb: number, count: number): Promise<Buffer[]> {
  const template = html(kb)
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const to = recipient(n)
      const composer = new MailComposer({
        from: { name: FROM.name, address: `news@${FROM.domain}` },
        to: to.address,
        subject: fill(SUBJECT, to),
        text: fill(TEXT, to),
        html: fill(template, to),
        newline: 'windows',
      })
      const octets = (await composer.compile().build()).toString('latin1').replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..')
      return Buffer.from(octets.endsWith('\r\n') ? octets : `${octets}\r\n`, 'latin1')
    }),
  )
}
