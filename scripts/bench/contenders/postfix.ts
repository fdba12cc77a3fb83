/** A Postfix of our own: configuration, queue and log below one temporary folder, one high port on loopback, the system's instance untouched. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../start/port-holder.ts'
import { blast } from '../blaster.ts'
import { listening, startChild } from '../children.ts'
import type { Absent, Contender, Target } from '../contender.ts'
import { prebuilt } from '../mails.ts'
import { BODIES } from './bare-socket.ts'

const PROGRAM = '/usr/sbin/postfix'
const HOST = '127.0.0.1'
const SESSIONS_IN = 20
const SESSIONS_OUT = 20

export async function postfix(): Promise<Contender | Absent> {
  const about = { name: 'postfix', title: 'Postfix' }
  if (!existsSync(PROGRAM)) return { ...about, because: 'it is not installed (Debian’s package postfix)' }
  if (userInfo().uid !== 0) return { ...about, because: 'its master runs for root only, and this is not root' }
  const { stdout } = await promisify(execFile)('/usr/sbin/postconf', ['-d', '-h', 'mail_version'])
  return {
    ...about,
    version: stdout.trim(),
    settings: `Debian’s, relayhost = the sink, ${SESSIONS_OUT} deliveries at once with connection reuse, fed by ${SESSIONS_IN} SMTP sessions; no milter, so no DKIM`,
    durability: 'each mail fsynced into the queue before it is accepted',
    perSecond: 650,
    measures: ({ dkim }) => dkim === 'none',
    async start({ target, signal }) {
      await using starting = new AsyncDisposableStack()
      const home = await mkdtemp(join(tmpdir(), 'hato-bench-postfix-'))
      starting.defer(() => rm(home, { recursive: true, force: true }))
      const port = await freePort(HOST)
      await configure(home, port, target)
      const child = starting.use(startChild(PROGRAM, ['-c', home, 'start-fg']))
      starting.defer(() => endMaster(home)) // it leads a session of its own, beyond the child's group
      await listening('Postfix', child, { host: HOST, port })
      const parts = starting.move()
      return {
        async send({ bodyKb }, mails) {
          const bodies = await prebuilt(bodyKb, BODIES)
          const beganMs = performance.now()
          await blast({ host: HOST, port, bodies, mails, sessions: SESSIONS_IN, manner: 'ahead', signal })
          return { beganMs, finishedMs: null }
        },
        [Symbol.asyncDispose]: () => parts.disposeAsync(),
      }
    },
  }
}

async function configure(home: string, port: number, target: Target): Promise<void> {
  await chmod(home, 0o755) // its workers run as others
  await mkdir(join(home, 'queue'))
  await mkdir(join(home, 'data'))
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await promisify(execFile)('id', [flag, 'postfix'])).stdout)))
  await chown(join(home, 'data'), uid as number, gid as number)
  await writeFile(join(home, 'main.cf'), mainCf(home, target))
  await writeFile(join(home, 'master.cf'), masterCf(port))
}

const mainCf = (home: string, { host, port }: Target) => `
compatibility_level = 3.6
queue_directory = ${home}/queue
data_directory = ${home}/data
maillog_file = ${home}/log
maillog_file_prefixes = ${home}
myhostname = bench.hato.example
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
inet_interfaces = loopback-only
alias_maps =
alias_database =
relayhost = [${host}]:${port}
smtp_host_lookup = native
smtp_tls_security_level = none
smtp_connection_cache_destinations = [${host}]
default_destination_concurrency_limit = ${SESSIONS_OUT}
initial_destination_concurrency = ${SESSIONS_OUT}
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
`

const masterCf = (port: number) => `
${HOST}:${port} inet n - n - - smtpd
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
smtp unix - - n - - smtp
relay unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`

async function endMaster(home: string): Promise<void> {
  const pid = Number.parseInt(await readFile(join(home, 'queue/pid/master.pid'), 'utf8').catch(() => ''), 10)
  if (!(pid > 1)) return
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // gone already is what was wanted
  }
}
