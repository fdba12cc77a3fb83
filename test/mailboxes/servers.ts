import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/**
 * A Postfix and a Dovecot of our own: high ports on loopback, configuration, queues and mailboxes below one temporary directory,
 * no service of the system touched. Both masters want root and drop it for their workers.
 */
export interface Mailboxes {
  /** what a peer's MX is: Postfix, which passes on to `lmtpPort` */
  readonly smtpPort: number
  readonly lmtpPort: number
  readonly imapPort: number
  readonly pop3Port: number
  /** the password of every mailbox; mailboxes exist as soon as they are named */
  readonly password: string
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Domains whose mail ends in a mailbox. */
export const DOMAINS = ['example.jp', 'docomo.ne.jp']
/** Postfix takes mail for it and throws it away: Dovecot 2.3 knows no SMTPUTF8. */
export const UTF8_DOMAIN = 'utf8.example'

const PASSWORD = 'pigeon'
const NOBODY = 65_534
const READY_MS = 20_000
const STOP_MS = 10_000

/** @param dir an empty directory whose path everybody may pass; removed at the end */
export async function startMailboxes(dir: string): Promise<Mailboxes> {
  await chmod(dir, 0o755) // the workers of both run as others
  const [smtpPort = 0, lmtpPort = 0, imapPort = 0, pop3Port = 0] = await freePorts(4)
  const started: Server[] = []
  const stop = async () => {
    signalMasters(dir, 'SIGTERM')
    const patience = setTimeout(() => signalMasters(dir, 'SIGKILL'), STOP_MS)
    await Promise.all(started.map(({ exited }) => exited))
    clearTimeout(patience)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    started.push(await startDovecot(dir, { lmtpPort, imapPort, pop3Port }))
    started.push(await startPostfix(dir, smtpPort, lmtpPort))
  } catch (error) {
    await stop()
    throw error
  }
  return { smtpPort, lmtpPort, imapPort, pop3Port, password: PASSWORD, [Symbol.asyncDispose]: stop }
}

/** A master leads a session of its own, beyond the reach of whoever ends our process group; so it is found by its own pid file. */
export function signalMasters(dir: string, name: 'SIGTERM' | 'SIGKILL'): void {
  for (const file of ['dovecot/run/master.pid', 'postfix/queue/pid/master.pid']) {
    const pid = pidIn(join(dir, file))
    if (pid === null) continue
    try {
      process.kill(name === 'SIGKILL' ? -pid : pid, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // gone already is what was wanted
    }
  }
}

function pidIn(file: string): number | null {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || null
  } catch {
    return null // not started, or gone and tidy
  }
}

interface Server {
  readonly name: string
  readonly exited: Promise<void>
}

async function startDovecot(dir: string, ports: { lmtpPort: number; imapPort: number; pop3Port: number }): Promise<Server> {
  const home = join(dir, 'dovecot')
  await mkdir(join(home, 'mail'), { recursive: true })
  await chown(join(home, 'mail'), NOBODY, NOBODY)
  const config = join(home, 'dovecot.conf')
  await writeFile(config, dovecotConfig(home, ports))
  const server = start('dovecot', ['-F', '-c', config])
  await ready(server, [ports.lmtpPort, ports.imapPort, ports.pop3Port], join(home, 'log'))
  return server
}

function dovecotConfig(home: string, { lmtpPort, imapPort, pop3Port }: { lmtpPort: number; imapPort: number; pop3Port: number }): string {
  const listener = (name: string, port: number) => `inet_listener ${name} {\n address = 127.0.0.1\n port = ${port}\n}\n`
  return `
protocols = imap pop3 lmtp
listen = 127.0.0.1
base_dir = ${home}/run
state_dir = ${home}/state
instance_name = hato-mailboxes
log_path = ${home}/log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:${home}/mail/%Mu
# an address may hold what a directory's name should not: %Mu is its MD5
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${home}/mail/%Mu allow_all_users=yes
}
service imap-login {
  ${listener('imap', imapPort)}
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  ${listener('pop3', pop3Port)}
  inet_listener pop3s {
    port = 0
  }
}
service lmtp {
  ${listener('lmtp', lmtpPort)}
}
`
}

async function startPostfix(dir: string, smtpPort: number, lmtpPort: number): Promise<Server> {
  const home = join(dir, 'postfix')
  await mkdir(join(home, 'queue'), { recursive: true })
  await mkdir(join(home, 'data'))
  const { uid, gid } = await idOf('postfix')
  await chown(join(home, 'data'), uid, gid)
  await writeFile(join(home, 'main.cf'), mainCf(home, lmtpPort))
  await writeFile(join(home, 'master.cf'), masterCf(smtpPort))
  const server = start('postfix', ['-c', home, 'start-fg'])
  await ready(server, [smtpPort], join(home, 'log'))
  return server
}

function mainCf(home: string, lmtpPort: number): string {
  return `
compatibility_level = 3.6
queue_directory = ${home}/queue
data_directory = ${home}/data
maillog_file = ${home}/log
maillog_file_prefixes = ${home}
myhostname = mx.example.jp
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
smtputf8_enable = yes
message_size_limit = 30000000
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = ${DOMAINS.join(', ')}
virtual_transport = lmtp:inet:127.0.0.1:${lmtpPort}
relay_domains = ${UTF8_DOMAIN}
transport_maps = inline:{{${UTF8_DOMAIN} = discard:}}
`
}

function masterCf(smtpPort: number): string {
  return `
127.0.0.1:${smtpPort} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}

function start(name: string, args: readonly string[]): Server {
  const child = spawn(name, args, { stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  return { name, exited }
}

/** Resolves when every port takes connections; rejects with the end of the log when the server exits or takes too long. */
async function ready({ name, exited }: Server, ports: readonly number[], log: string): Promise<void> {
  let gone = false
  void exited.then(() => {
    gone = true
  })
  const deadline = performance.now() + READY_MS
  for (const port of ports) {
    while (!(await takesConnections(port))) {
      if (gone || performance.now() > deadline) {
        const said = await readFile(log, 'utf8').catch(() => 'nothing')
        throw new Error(`${name} ${gone ? 'ended' : 'is not ready'} on port ${port}; its log says: ${said.slice(-2_000)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50)) // a port that opens gives no event
    }
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function idOf(user: string): Promise<{ uid: number; gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith(`${user}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${user}; Postfix's package makes it`)
  return { uid: Number(uid), gid: Number(gid) }
}
