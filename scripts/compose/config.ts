import type { ConfigTable } from '../../services/runtime/config.ts'
import { COMMON_CONFIG } from '../../services/runtime/lifecycle.ts'

const { natsUrl, natsUser, natsPass, logLevel, replicas } = COMMON_CONFIG
const fleet = { env: 'HATO_FLEET', unit: 'path', why: 'the fleet file (TOML)' } as const

export const PREPARE_CONFIG = { natsUrl, natsUser, natsPass, logLevel, replicas } as const satisfies ConfigTable

export const APPLY_CONFIG = { natsUrl, natsUser, natsPass, logLevel, fleet } as const satisfies ConfigTable

export const WORLD_FLEET_CONFIG = {
  fleet,
  subnet: {
    env: 'HATO_SUBNET',
    unit: 'text',
    like: /^\d{1,3}(\.\d{1,3}){2}$/,
    why: 'first three bytes of the network of the containers, a part of which is the simulated internet',
  },
  worldUrl: { env: 'HATO_WORLD_URL', unit: 'url', why: 'the HTTP door of the simulated internet' },
} as const satisfies ConfigTable
