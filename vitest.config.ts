import { defineConfig } from 'vitest/config'

/** The three rings of tests (CONTRIBUTING.md): each is a project, so that `vitest run --project bus` runs one of them. */
const ring = (name: string, include: string[], limits: { readonly testTimeout: number; readonly hookTimeout: number; readonly maxWorkers: number }) => ({
  extends: true as const,
  test: { name, include, ...limits },
})

export default defineConfig({
  test: {
    pool: 'forks',
    setupFiles: ['scripts/check/leaks.ts'],
    // The setup file's afterAll is registered first, so it must run last to see what the test's own hooks left behind.
    sequence: { hooks: 'stack' },
    teardownTimeout: 5_000,
    projects: [
      ring('pure', ['{protocol,services,scripts}/**/*.test.ts', 'test/{law,kit,simulation}/**/*.test.ts'], {
        testTimeout: 20_000,
        hookTimeout: 20_000,
        maxWorkers: 2,
      }),
      // Real nats-servers with synced disks: more than two at once only slow each other down.
      ring('bus', ['test/bus/**/*.test.ts'], { testTimeout: 30_000, hookTimeout: 30_000, maxWorkers: 2 }),
      // A whole cluster each; two side by side would measure each other.
      ring('scenarios', ['test/scenarios/**/*.test.ts'], { testTimeout: 120_000, hookTimeout: 60_000, maxWorkers: 1 }),
    ],
  },
})
