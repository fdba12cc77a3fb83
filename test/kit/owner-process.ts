/** A process that owns shards: `node owner-process.ts <nats url> <node id> <shard,shard…>`. Says each change on stdout; SIGTERM lets go politely. */
import { connectBus } from '../../services/runtime/bus.ts'
import { systemClock } from '../../services/runtime/clock.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { createLog } from '../../services/runtime/log.ts'
import { own } from '../../services/runtime/ownership.ts'

const [url, nodeId, shards] = process.argv.slice(2) as [string, string, string]
const log = createLog({ level: 'error', fields: { node: nodeId }, addresses: false })
const bus = await connectBus({ url, name: nodeId, log })
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const ownership = await own({
  bucket: openBucket(bus, 'owners'),
  role: 'router',
  nodeId,
  shards: shards.split(','),
  clock: systemClock,
  log,
  onGained: (shard, epoch) => void say({ gained: shard, epoch }),
  onLost: (shard, because) => void say({ lost: shard, because }),
})
process.on('SIGTERM', async () => {
  await ownership[Symbol.asyncDispose]()
  await bus[Symbol.asyncDispose]()
})
