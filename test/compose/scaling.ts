/** One command starts everything; then senders come and go while campaigns run, and nobody notices at the far end. */
import type { Checks } from './checks.ts'
import { type Container, type Containers, watchContainers } from './containers.ts'
import { connectHato, type Hato, verdictOn } from './hato.ts'
import type { Project } from './project.ts'
import { startTraffic, type Traffic } from './traffic.ts'

const HEALTHY = ['nats', 'ip-manager', 'domain-router', 'scheduler', 'sender', 'world']
const DONE = ['prepare', 'apply', 'world-addresses', 'world-fleet']
/** Two cores that carry an engine, twelve containers and the simulated internet. */
const WITHIN_MS = 180_000

interface Scene {
  readonly project: Project
  readonly containers: Containers
  readonly hato: Hato
  readonly traffic: Traffic
  readonly checks: Checks
}

export async function scaling(project: Project, env: Readonly<Record<string, string>>, checks: Checks): Promise<void> {
  using containers = watchContainers(project.name, env)
  await project.compose(['up', '-d'])
  await containers.until('every service is healthy', () => allUp(containers), WITHIN_MS)
  checks.check('`docker compose --profile world up -d` starts everything: services healthy, preparations ended with 0', true)

  await using hato = await connectHato(project.natsUrl)
  const traffic = await startTraffic(hato, checks.say)
  const scene = { project, containers, hato, traffic, checks }
  await Promise.race([comeAndGo(scene), traffic.finished])
  await traffic.finished
  await reckon(scene)
}

/** Throws when it never will be. */
function allUp(containers: Containers): boolean {
  const failed = DONE.flatMap((service) => containers.of(service)).filter(({ exitCode }) => exitCode !== null && exitCode !== 0)
  if (failed.length > 0) throw new Error(failed.map(({ service, exitCode }) => `${service} ended with exit code ${exitCode}`).join(', '))
  return (
    HEALTHY.every((service) => containers.of(service).some(({ healthy }) => healthy)) &&
    DONE.every((service) => containers.of(service).some(({ exitCode }) => exitCode === 0))
  )
}

async function comeAndGo(scene: Scene): Promise<void> {
  const { containers, hato, traffic } = scene
  const [only] = running(containers)
  await hato.carriers.until('the only sender has carried mail', () => hato.carriers.by(only?.id ?? '') > 0, WITHIN_MS)
  await scaleUp(scene)
  await scaleDown(scene)
  traffic.stop()
}

const running = (containers: Containers): readonly Container[] => containers.of('sender').filter(({ exitCode }) => exitCode === null)

async function scaleUp({ project, containers, hato: { carriers }, traffic, checks }: Scene): Promise<void> {
  const before = new Set(running(containers).map(({ id }) => id))
  checks.say(`${carriers.settled()} settled: scaling to 4 senders`)
  await project.compose(['up', '-d', '--scale', 'sender=4'])
  await containers.until('four senders are healthy', () => running(containers).filter(({ healthy }) => healthy).length === 4, WITHIN_MS)
  const added = running(containers).filter(({ id }) => !before.has(id))
  checks.check(
    'one sender became four, and the first one went on',
    added.length === 3 && running(containers).some(({ id }) => before.has(id)),
    running(containers),
  )
  await carriers.until('each of the three new senders has carried mail', () => added.every(({ id }) => carriers.by(id) > 0), WITHIN_MS)
  checks.check(`the three new senders carried mail while a campaign ran (${added.map(({ id }) => carriers.by(id)).join(', ')} so far)`, traffic.isRunning())
}

async function scaleDown({ project, containers, hato: { carriers }, traffic, checks }: Scene): Promise<void> {
  const before = running(containers)
  checks.say(`${carriers.settled()} settled: scaling to 2 senders`)
  await project.compose(['up', '-d', '--scale', 'sender=2'])
  await containers.until('two senders have ended', () => running(containers).length === 2, WITHIN_MS)
  const ended = before.flatMap(({ id }) => containers.of('sender').filter((one) => one.id === id && one.exitCode !== null))
  checks.check('two senders ended with exit code 0', ended.length === 2 && ended.every(({ exitCode }) => exitCode === 0), ended)
  checks.check(`and a campaign still ran (${carriers.settled()} settled)`, traffic.isRunning())
}

async function reckon({ project, hato, traffic, checks }: Scene): Promise<void> {
  for (const campaign of traffic.campaigns) {
    const status = await hato.status(campaign)
    const { length } = campaign.addresses
    checks.check(
      `${campaign.body.id} is finished: ${length} of ${length} delivered, none waits`,
      status.state === 'finished' && status.delivered === length && status.waiting === 0,
      status,
    )
  }
  const verdict = await verdictOn(project.worldUrl, traffic.campaigns, hato.carriers)
  const published = traffic.campaigns.reduce((sum, { addresses }) => sum + addresses.length, 0)
  checks.check(
    `the far end has each of the ${published} mails once: lost ${verdict.lost} doubled ${verdict.doubled}`,
    verdict.ok && verdict.delivered === published,
    verdict,
  )
}
