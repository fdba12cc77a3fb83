import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { runProgram } from '../../scripts/check/run.ts'

const PACKAGES = ['postfix', 'dovecot-core', 'dovecot-imapd', 'dovecot-pop3d', 'dovecot-lmtpd']
const PROGRAMS = ['/usr/sbin/postfix', '/usr/sbin/dovecot', '/usr/lib/dovecot/lmtp', '/usr/lib/dovecot/imap', '/usr/lib/dovecot/pop3']
const COMMAND = `apt-get install --no-install-recommends ${PACKAGES.join(' ')}`
/** While it says 101, packages start no services (invoke-rc.d): the test runs its own, on its own ports. */
const POLICY = '/usr/sbin/policy-rc.d'
const LIMIT_MS = 10 * 60_000

/** Installs what is missing, as root, from Debian. @returns null when everything is there, else what to do about it */
export async function installServers(): Promise<string | null> {
  if (process.getuid?.() !== 0) return `Postfix and Dovecot start only as root: sudo npm run test:mailboxes (installs them when missing, or: ${COMMAND})`
  if (isReady()) return null
  if (!existsSync('/usr/bin/apt-get')) return `missing: ${PROGRAMS.filter((program) => !existsSync(program)).join(' ')}; on Debian: ${COMMAND}`
  process.stdout.write(`installing ${PACKAGES.join(' ')}\n`)
  const ownPolicy = !existsSync(POLICY)
  if (ownPolicy) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await runProgram('sh', ['-c', "echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections"], { limitMs: LIMIT_MS })
    await runProgram('apt-get', ['update', '-qq'], { limitMs: LIMIT_MS, env })
    const { code, stderr } = await runProgram('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES], { limitMs: LIMIT_MS, env })
    if (code !== 0 || !isReady()) return `could not install them (${COMMAND}):\n${stderr.trim().split('\n').slice(-10).join('\n')}`
    return null
  } finally {
    if (ownPolicy) await rm(POLICY, { force: true })
  }
}

function isReady(): boolean {
  return PROGRAMS.every((program) => existsSync(program))
}
