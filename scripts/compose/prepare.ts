/** Streams and buckets as this version wants them, before any actor starts. Changes what differs, keeps what is in them. */
import { BUCKETS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { STREAMS } from '../../protocol/streams.ts'
import { readConfig } from '../../services/runtime/config.ts'
import { PREPARE_CONFIG } from './config.ts'
import { connect } from './connect.ts'
import { oneShot } from './one-shot.ts'

await oneShot(async (say, signal) => {
  const config = readConfig(PREPARE_CONFIG, process.env)
  await using bus = await connect(config, 'prepare', say, signal)
  const { replicas } = config
  await bus.ensureStreams(STREAMS, { replicas })
  await bus.ensureBuckets(BUCKETS, { replicas })
  await bus.ensureObjectBucket(OBJECT_BUCKET, { replicas })
  say(`${STREAMS.length} streams and ${BUCKETS.length + 1} buckets are there`)
})
