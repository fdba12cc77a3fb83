/**
 * `npm run test:compose`: the project's own docker-compose.yml on a real Docker engine. Builds the image, starts everything with one command,
 * scales the senders 1 → 4 → 2 while campaigns run, and asks the far end what came of it.
 * Ends with one plain line `N passed, N failed`. Needs a Docker engine, or root on Debian to set one up; without either it fails and says so.
 */
import { openChecks } from './checks.ts'
import { findEngine } from './engine.ts'
import { openProject } from './project.ts'
import { scaling } from './scaling.ts'
import { twin } from './twin.ts'

const IMAGES = ['node:24-bookworm-slim', 'nats:2.15-alpine']
/** From the images on. */
const LIMIT_MS = 8 * 60_000

const checks = openChecks()
const cut = Promise.withResolvers<never>()
cut.promise.catch(() => {}) // whoever waits at that moment is told
// Containers outlive the program that started them, so a stop takes the same way as a failure.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => cut.reject(new Error(`cut short by ${signal}`)))

try {
  await using engine = await findEngine(IMAGES)
  await run(engine.env)
} catch (error) {
  checks.fail(error instanceof Error ? error.message : String(error))
}
process.stdout.write(`${checks.passed} passed, ${checks.failed} failed\n`)
process.exit(checks.failed === 0 && checks.passed > 0 ? 0 : 1)

async function run(env: Readonly<Record<string, string>>): Promise<void> {
  await using project = await openProject(env)
  checks.say('building the image')
  await Promise.race([project.compose(['build']), cut.promise])
  const timer = setTimeout(() => cut.reject(new Error(`not done ${LIMIT_MS / 60_000} min after the image was built`)), LIMIT_MS)
  try {
    await Promise.race([story(), cut.promise])
  } catch (error) {
    checks.fail(error instanceof Error ? error.message : String(error))
    checks.say(await project.lastWords())
  } finally {
    clearTimeout(timer)
  }
  await project.compose(['down', '-v', '--timeout', '5'])
  const left = await project.left()
  checks.check('`docker compose down -v` leaves no container, volume or network', left.length === 0, left)

  async function story() {
    await scaling(project, env, checks)
    await twin(project, checks)
  }
}
