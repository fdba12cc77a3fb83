import type { ConfigTable } from '../../services/runtime/config.ts'
import { COMMON_CONFIG } from '../../services/runtime/lifecycle.ts'

/** What `npm start` itself reads; the actors' own variables (services/<role>/config.ts) are handed on to them. */
export const START_CONFIG = {
  fleet: { env: 'HATO_FLEET', unit: 'path', default: null, why: 'the fleet file (TOML); without it the fleet that is in force stays' },
  dataDir: { env: 'HATO_DATA', unit: 'path', default: './data', why: "the embedded server's store, logs, cluster.json" },
  natsUrl: { env: 'HATO_NATS_URL', unit: 'url', default: null, why: 'a NATS server that runs already (2.12 or newer, JetStream); without it one is started' },
  natsUser: COMMON_CONFIG.natsUser,
  natsPass: COMMON_CONFIG.natsPass,
  natsPort: { env: 'HATO_NATS_PORT', unit: 'port', default: 4222, why: 'port of the embedded nats-server on 127.0.0.1; 0 = any free one' },
  senders: { env: 'HATO_SENDERS', unit: 'count', default: null, min: 1, max: 64, why: 'sender processes; without it one per core' },
  replicas: COMMON_CONFIG.replicas,
} as const satisfies ConfigTable

/** `--fleet FILE` is HATO_FLEET=FILE for once. */
export const FLAGS = { fleet: 'HATO_FLEET', data: 'HATO_DATA', 'nats-url': 'HATO_NATS_URL', 'nats-port': 'HATO_NATS_PORT', senders: 'HATO_SENDERS' } as const
