/** For tests: a bare SMTP client that says exactly what it is told and tells exactly what it hears. */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { TEST_DOMAIN } from '../models/talk.testkit.ts'

/** a reply's code, or how the connection ended */
export type Heard = number | 'closed' | 'reset'

export type Client = Disposable & {
  /** the next reply, or the end of the connection */
  heard(): Promise<Heard>
  write(text: string): void
  /** writes a line and hears one reply */
  say(line: string): Promise<Heard>
  /** several lines in one write, a reply each */
  pipe(...lines: readonly string[]): Promise<readonly Heard[]>
  /** a whole mail, one command at a time; the code of the last reply heard */
  send(to: string, messageId: string): Promise<Heard>
  startTls(): Promise<void>
}

export async function connect(host: string, port: number, from = '127.0.1.1'): Promise<Client> {
  let socket: net.Socket = net.connect({ host, port, localAddress: from })
  const replies: Heard[] = []
  const waiting: ((heard: Heard) => void)[] = []
  let pending = ''
  let ended: 'closed' | 'reset' | null = null
  const give = (heard: Heard): void => {
    const next = waiting.shift()
    if (next === undefined) replies.push(heard)
    else next(heard)
  }
  const over = (how: 'closed' | 'reset'): void => {
    if (ended !== null) return
    ended = how
    while (waiting.length > 0) give(how)
  }
  function listen(on: net.Socket): void {
    on.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1')
      for (let lf = pending.indexOf('\n'); lf !== -1; lf = pending.indexOf('\n')) {
        const line = pending.slice(0, lf)
        pending = pending.slice(lf + 1)
        if (/^\d{3} /.test(line)) give(Number(line.slice(0, 3)))
      }
    })
    on.on('error', (error) => over('code' in error && error.code === 'ECONNRESET' ? 'reset' : 'closed'))
    on.on('close', () => over('closed'))
  }
  listen(socket)
  await once(socket, 'connect')
  const client: Client = {
    heard() {
      const next = replies.shift()
      if (next !== undefined) return Promise.resolve(next)
      if (ended !== null) return Promise.resolve(ended)
      return new Promise((resolve) => waiting.push(resolve))
    },
    write: (text) => void socket.write(text, 'latin1'),
    say(line) {
      client.write(`${line}\r\n`)
      return client.heard()
    },
    async pipe(...lines) {
      client.write(lines.map((line) => `${line}\r\n`).join(''))
      const heard: Heard[] = []
      for (const _ of lines) heard.push(await client.heard())
      return heard
    },
    async send(to, messageId) {
      for (const line of ['MAIL FROM:<return@sender.example>', `RCPT TO:<${to.includes('@') ? to : `${to}@${TEST_DOMAIN}`}>`, 'DATA']) {
        const heard = await client.say(line)
        if (typeof heard !== 'number' || heard >= 400) return heard
      }
      return client.say(`Message-ID: ${messageId}\r\n\r\nhello\r\n.`)
    },
    async startTls() {
      if ((await client.say('STARTTLS')) !== 220) throw new Error('STARTTLS was refused')
      socket.removeAllListeners('data')
      const secure = tls.connect({ socket, rejectUnauthorized: false })
      await once(secure, 'secureConnect')
      socket = secure
      listen(secure)
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
  return client
}

/** connected, greeted, EHLO said */
export async function greet(host: string, port: number, from?: string): Promise<Client> {
  const client = await connect(host, port, from)
  await client.heard()
  await client.say('EHLO sender.example')
  return client
}
