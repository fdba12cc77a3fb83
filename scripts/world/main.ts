import { once } from 'node:events'
import { type Args, help, readArgs } from './args.ts'
import { startControl } from './control.ts'
import { startWorld } from './world.ts'

async function run({ world: options, control, endsWith }: Args): Promise<void> {
  const over = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), ...(endsWith === 'stdin' ? [once(process.stdin.resume(), 'end')] : [])])
  await using world = await startWorld(options)
  await using door = await startControl(world, control.address, control.port)
  process.stdout.write(
    `${JSON.stringify({
      ready: true,
      smtpPort: world.smtpPort,
      dns: world.dns,
      dnsPort: world.dnsPort,
      stsPort: world.stsPort,
      authority: world.authority,
      control: door.url,
      base: world.base,
      pid: process.pid,
    })}\n`,
  )
  await over
  process.stdin.pause()
}

function args(): Args | null {
  try {
    return readArgs(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help()}`)
    process.exit(78)
  }
}

const given = args()
if (given === null) process.stdout.write(help())
else await run(given)
