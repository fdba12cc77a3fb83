/**
 * A validating resolver over a zone signed here: unbound and ldns from Debian, for tests of what may be believed because of DNSSEC.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createResolver } from '../../services/runtime/dns/resolver.ts'
import { until } from './bus.ts'
import { freePort } from './nats.ts'

export interface SignedZone extends AsyncDisposable {
  /** `127.0.0.1:5355`: knows the zone and asks `elsewhere` for the rest, which nobody signed */
  readonly dns: string
}

const run = promisify(execFile)
const INSTALL = 'sudo apt-get install unbound ldnsutils'
/** an ordinary user's PATH has no sbin */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

/**
 * `records` are zone file lines, names relative to `zone`. `tampered`: texts in the signed file that are replaced, so that signatures no longer fit.
 */
export async function signedZone(options: {
  readonly zone: string
  readonly records: readonly string[]
  readonly elsewhere: string
  readonly tampered?: readonly (readonly [text: string, by: string])[]
}): Promise<SignedZone> {
  const { zone, records, elsewhere, tampered = [] } = options
  await using starting = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hato-signed-'))
  starting.defer(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'zone')
  await writeFile(file, [`$ORIGIN ${zone}.`, '$TTL 60', '@ SOA ns hostmaster 1 3600 600 86400 30', '@ NS ns', 'ns A 127.0.0.1', ...records, ''].join('\n'))
  await tool(folder, 'ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', zone)
  const key = (await readdir(folder)).find((name) => name.endsWith('.key'))?.replace(/\.key$/, '') ?? ''
  await tool(folder, 'ldns-signzone', '-f', 'signed', 'zone', key)
  let signed = await readFile(join(folder, 'signed'), 'utf8')
  for (const [text, by] of tampered) {
    if (!signed.includes(text)) throw new Error(`the signed zone has no "${text}":\n${signed}`)
    signed = signed.replaceAll(text, by)
  }
  await writeFile(join(folder, 'signed'), signed)

  // NOTE Two of them: a resolver that forwards the rest asks its own auth-zone for nothing.
  const authority = starting.use(
    await startUnbound(
      join(folder, 'authority.conf'),
      'module-config: "iterator"',
      `auth-zone:\n  name: "${zone}"\n  zonefile: "${join(folder, 'signed')}"\n  for-downstream: yes\n  for-upstream: no`,
    ),
  )
  const validator = starting.use(
    await startUnbound(
      join(folder, 'validator.conf'),
      `module-config: "validator iterator"\n  trust-anchor-file: "${join(folder, `${key}.ds`)}"`,
      ...[[zone, authority.dns] as const, ['.', elsewhere] as const].map(
        ([name, at]) => `forward-zone:\n  name: "${name}"\n  forward-addr: ${at.replace(':', '@')}`,
      ),
    ),
  )
  await until('unbound validates the zone', async () => {
    validator.check()
    authority.check()
    await using resolver = createResolver({ servers: [validator.dns], timeoutMs: 200, tries: 1 })
    const { rcode, ad } = await resolver.resolve(`ns.${zone}`, 'A')
    if (rcode === 'NOERROR' && !ad) throw new Error(`unbound does not validate ${zone}`)
    return rcode === 'NOERROR'
  })
  const parts = starting.move()
  return { dns: validator.dns, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

interface Unbound extends AsyncDisposable {
  readonly dns: string
  /** throws once it has ended */
  check(): void
}

async function startUnbound(conf: string, server: string, ...clauses: readonly string[]): Promise<Unbound> {
  const port = await freePort('127.0.0.1')
  const settings = [
    'server:',
    `  interface: 127.0.0.1@${port}`,
    `  port: ${port}`,
    ...['username', 'chroot', 'directory', 'pidfile', 'logfile'].map((name) => `  ${name}: ""`),
    '  use-syslog: no',
    '  do-ip6: no',
    '  do-not-query-localhost: no',
    `  ${server}`,
    'remote-control:',
    '  control-enable: no',
    ...clauses,
  ]
  await writeFile(conf, `${settings.join('\n')}\n`)
  const child = spawn('unbound', ['-d', '-c', conf], { env: { ...process.env, PATH }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000)
    })
  }
  let ended: string | null = null
  const gone = Promise.withResolvers<void>()
  child.once('error', (error) => {
    ended = `${error.message}: ${INSTALL}`
    gone.resolve()
  })
  child.once('exit', (code, signal) => {
    ended = `unbound ended (${signal ?? code}):\n${said}`
    gone.resolve()
  })
  return {
    dns: `127.0.0.1:${port}`,
    check() {
      if (ended !== null) throw new Error(ended)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone.promise
    },
  }
}

async function tool(folder: string, program: string, ...args: readonly string[]): Promise<void> {
  try {
    await run(program, args, { cwd: folder, env: { ...process.env, PATH } })
  } catch (error) {
    throw new Error(`${program}: ${(error as Error).message}\nIs it installed? ${INSTALL}`)
  }
}
