import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { ImapFlow, type MessageStructureObject } from 'imapflow'
import type { Mailboxes } from './servers.ts'

/** How people's programs get their mail: IMAP by imapflow, POP3 by hand (RFC 1939: USER, PASS, STAT, RETR). */

/** A leaf of a mail as IMAP tells it, decoded. */
export interface Part {
  readonly type: string
  readonly disposition: string | undefined
  readonly filename: string | undefined
  /** Content-ID with its angle brackets */
  readonly id: string | undefined
  readonly content: Buffer
}

export interface Read {
  readonly subject: string | undefined
  readonly from: string
  readonly to: string
  readonly structure: string
  readonly parts: readonly Part[]
  readonly source: Buffer
}

const ARRIVES_WITHIN_MS = 20_000

/** Waits for the first mail of the mailbox, and reads it part by part over IMAP. */
export async function readByImap(mailboxes: Mailboxes, user: string): Promise<Read> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: mailboxes.imapPort,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass: mailboxes.password },
    logger: false,
  })
  await client.connect()
  const lock = await client.getMailboxLock('INBOX')
  try {
    await arrival(client)
    const message = await client.fetchOne('1', { envelope: true, bodyStructure: true, source: true })
    if (message === false || message.bodyStructure === undefined || message.source === undefined) throw new Error('the mail cannot be fetched')
    const parts: Part[] = []
    for (const leaf of leaves(message.bodyStructure)) {
      const { meta, content } = await client.download('1', leaf.part ?? '1')
      if (!meta || !content) throw new Error(`part ${leaf.part} cannot be fetched`)
      const { disposition } = leaf
      parts.push({ type: leaf.type, disposition, filename: meta.filename, id: leaf.id, content: Buffer.concat(await content.toArray()) })
    }
    const { subject, from, to } = message.envelope ?? {}
    const spell = (list: typeof from) => (list ?? []).map(({ name, address }) => `${name ?? ''} <${address ?? ''}>`).join(', ')
    return { subject, from: spell(from), to: spell(to), structure: shape(message.bodyStructure), parts, source: message.source }
  } finally {
    lock.release()
    await client.logout()
  }
}

/** IMAP tells arrivals only while it is asked something or idles. */
async function arrival(client: ImapFlow): Promise<void> {
  const isThere = () => client.mailbox && client.mailbox.exists > 0
  if (isThere()) return
  const arrived = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no mail within ${ARRIVES_WITHIN_MS / 1_000} s`)), ARRIVES_WITHIN_MS)
    client.once('exists', () => {
      clearTimeout(late)
      resolve()
    })
  })
  const idling = client.idle()
  await arrived
  await client.noop() // ends the idling
  await idling
}

function leaves(node: MessageStructureObject): MessageStructureObject[] {
  return node.childNodes?.length ? node.childNodes.flatMap(leaves) : [node]
}

function shape(node: MessageStructureObject): string {
  return node.childNodes?.length ? `${node.type}(${node.childNodes.map(shape).join(' ')})` : node.type
}

/** The first mail of the mailbox as POP3 gives it, dots unstuffed. */
export async function readByPop3(mailboxes: Mailboxes, user: string): Promise<Buffer> {
  const socket = createConnection(mailboxes.pop3Port, '127.0.0.1')
  socket.setEncoding('latin1')
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('POP3 ended too early')
    return value as string
  }
  const ask = async (command: string) => {
    socket.write(`${command}\r\n`)
    const reply = await next()
    if (!reply.startsWith('+OK')) throw new Error(`${command.split(' ')[0]}: ${reply}`)
  }
  try {
    await next() // the greeting
    await ask(`USER ${user}`)
    await ask(`PASS ${mailboxes.password}`)
    await ask('STAT')
    await ask('RETR 1')
    const mail: string[] = []
    for (let line = await next(); line !== '.'; line = await next()) mail.push(line.startsWith('.') ? line.slice(1) : line)
    await ask('QUIT')
    return Buffer.from(mail.map((line) => `${line}\r\n`).join(''), 'latin1')
  } finally {
    socket.destroy()
  }
}
