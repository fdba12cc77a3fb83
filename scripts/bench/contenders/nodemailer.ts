import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import type { Contender } from '../contender.ts'
import { FROM, fill, html, recipient, SUBJECT, TEXT } from '../mails.ts'

const SESSIONS = 10
/** mails handed to the pool and not yet answered: its queue is in memory, and so ours is bounded */
const IN_HAND = 200

const { version } = JSON.parse(readFileSync(new URL('../../../node_modules/nodemailer/package.json', import.meta.url), 'utf8')) as { version: string }

export const nodemailer: Contender = {
  name: 'nodemailer',
  title: 'nodemailer, pool',
  version,
  settings: `pool of ${SESSIONS} connections in one process, each mail composed from HTML and text (variables put in by replaceAll)`,
  durability: 'none: its queue is in memory',
  perSecond: 1_250,
  measures: ({ dkim }) => dkim !== 'rsa-2048 + ed25519', // it signs rsa-sha256 only
  async start({ target, signal }) {
    const privateKey = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    return {
      async send({ bodyKb, dkim }, mails) {
        const transport = createTransport({
          pool: true,
          host: target.host,
          port: target.port,
          maxConnections: SESSIONS,
          maxMessages: Number.POSITIVE_INFINITY,
          ignoreTLS: true,
          ...(dkim === 'rsa-2048' && { dkim: { domainName: FROM.domain, keySelector: 's1', privateKey } }),
        })
        using closing = new DisposableStack()
        closing.defer(() => transport.close())
        const template = html(bodyKb)
        let next = 0
        const feed = async () => {
          while (next < mails) {
            signal.throwIfAborted()
            const to = recipient(next++)
            await transport.sendMail({
              from: { name: FROM.name, address: `news@${FROM.domain}` },
              to: to.address,
              subject: fill(SUBJECT, to),
              text: fill(TEXT, to),
              html: fill(template, to),
            })
          }
        }
        const beganMs = performance.now()
        await Promise.all(Array.from({ length: IN_HAND }, feed))
        return { beganMs, finishedMs: null }
      },
      async [Symbol.asyncDispose]() {},
    }
  },
}
