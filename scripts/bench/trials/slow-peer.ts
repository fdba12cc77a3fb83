/** A receiver that takes a mail and lets the reply to its dot wait until it is told: so each session it has stays open. */
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface SlowPeer extends AsyncDisposable {
  readonly port: number
  /** the most sessions that were ever open */
  most(): number
  /** all replies that wait, and from now on at once */
  letGo(): void
}

/** @param host also 0.0.0.0: every address of this machine is then a receiver of its own */
export async function startSlowPeer(host: string): Promise<SlowPeer> {
  const sockets = new Set<Socket>()
  const waiting = new Set<() => void>()
  let holds = true
  let most = 0
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    most = Math.max(most, sockets.size)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let rest = ''
    let inBody = false
    const say = (reply: string) => void (socket.writable && socket.write(`${reply}\r\n`))
    socket.on('data', (bytes: Buffer) => {
      rest += bytes.toString('latin1')
      for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (inBody) {
          if (line !== '.') continue
          inBody = false
          const accept = () => say('250 2.0.0 taken')
          if (holds) waiting.add(accept)
          else accept()
        } else if (/^DATA/i.test(line)) {
          inBody = true
          say('354 go on')
        } else if (/^QUIT/i.test(line)) socket.end('221 2.0.0 bye\r\n')
        else say(/^EHLO/i.test(line) ? '250-slow.example\r\n250-8BITMIME\r\n250 PIPELINING' : '250 2.1.0 ok')
      }
    })
    say('220 slow.example ESMTP')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, 4_096, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    most: () => most,
    letGo() {
      holds = false
      for (const accept of waiting) accept()
      waiting.clear()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
