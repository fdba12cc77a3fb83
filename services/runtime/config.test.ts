import { expect, test } from 'vitest'
import { type ConfigTable, configMarkdown, envFor, readConfig, resolvedTable } from './config.ts'

const TABLE = {
  leaseMs: { env: 'HATO_LEASE', unit: 'duration', default: 4_000, min: 1_000, max: 60_000, why: 'how long a lease runs' },
  url: { env: 'HATO_NATS_URL', unit: 'url', why: 'where NATS is' },
  pass: { env: 'HATO_NATS_PASS', unit: 'text', default: null, secret: true, why: 'password' },
  level: { env: 'HATO_LOG_LEVEL', unit: 'choice', of: ['debug', 'info'], default: 'info', why: 'least level' },
  shown: { env: 'HATO_LOG_ADDRESSES', unit: 'flag', default: false, why: 'whole addresses' },
  port: { env: 'HATO_HEALTH_PORT', unit: 'port', default: 0, why: 'port' },
} as const satisfies ConfigTable

test('values are typed, defaults stand, what is not Hato’s is ignored', () => {
  const config = readConfig(TABLE, { HATO_NATS_URL: 'nats://x', HATO_LEASE: '10s', HATO_LOG_ADDRESSES: 'yes', HOME: '/root' })
  expect(config).toEqual({ leaseMs: 10_000, url: 'nats://x', pass: null, level: 'info', shown: true, port: 0 })
  const level: 'debug' | 'info' = config.level
  expect(level).toBe('info')
})

test('everything that is wrong is said at once, in words a person can act on', () => {
  const wrong = () =>
    readConfig(TABLE, { HATO_LEASE: '90s', HATO_LOG_LEVEL: 'loud', HATO_HEALTH_PROT: '80', HATO_LOG_ADDRESSES: 'perhaps', HATO_HEALTH_PORT: '99999' })
  expect(wrong).toThrow(
    expect.objectContaining({
      name: 'BadConfig',
      message: [
        'HATO_HEALTH_PROT is not a setting of this service; did you mean HATO_HEALTH_PORT?',
        'HATO_LEASE is "90s": above 1m',
        'HATO_NATS_URL must be set (where NATS is)',
        'HATO_LOG_LEVEL is "loud": none of debug, info',
        'HATO_LOG_ADDRESSES is "perhaps": neither true nor false',
        'HATO_HEALTH_PORT is "99999": above 65535',
      ].join('\n'),
    }),
  )
})

test('a secret is shown nowhere', () => {
  const env = { HATO_NATS_URL: 'u', HATO_NATS_PASS: 'hunter2' }
  expect(JSON.stringify(resolvedTable(TABLE, readConfig(TABLE, env)))).not.toContain('hunter2')
  expect(resolvedTable(TABLE, readConfig(TABLE, env))).toMatchObject({ HATO_LEASE: '4s', HATO_NATS_PASS: '***' })
})

test('a child gets its own settings and the machine’s, not another service’s', () => {
  expect(envFor(TABLE, { HATO_LEASE: '4s', HATO_OTHER: '1', PATH: '/bin' })).toEqual({ HATO_LEASE: '4s', PATH: '/bin' })
})

test('the table is its own documentation', () => {
  expect(configMarkdown(TABLE).split('\n')[2]).toBe('| `HATO_LEASE` | duration | 4s | 1s … 1m | how long a lease runs |')
  expect(configMarkdown(TABLE)).toContain('| `HATO_NATS_URL` | url | required |')
})
