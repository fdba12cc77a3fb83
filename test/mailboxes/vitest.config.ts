import { defineConfig } from 'vitest/config'

/** `npm run test:mailboxes` (main.ts): needs Postfix, Dovecot and root, so it is no ring of `npm test`. */
// biome-ignore lint/style/noDefaultExport: vitest loads its configuration by the default export
export default defineConfig({
  test: {
    name: 'mailboxes',
    include: ['test/mailboxes/**/*.test.ts'],
    pool: 'forks',
    setupFiles: ['scripts/check/leaks.ts'],
    sequence: { hooks: 'stack' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
