/**
 * hato: the command line (`npx hato …`, scripts/hato). Answers on stdout, remarks on stderr.
 *
 * Exit codes: 0 done · 1 refused or failed · 2 not understood · 69 NATS or an actor does not answer · 78 a file or setting is wrong · 130 Ctrl-C
 */
import { hato } from './hato.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1)) // `hato events | head`
const code = await hato(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, env: process.env })
process.stdout.write('', () => process.exit(code))
