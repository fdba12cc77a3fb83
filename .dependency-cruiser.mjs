/**
 * The import law (ARCHITECTURE.md). Every rule has a planted violation in test/law/imports.test.ts, so that none is green because it is blind.
 *
 * Tests that stand beside the code they test (`x.test.ts`, `x.fixture.ts`, `x.testkit.ts`) may use the test tools and test/kit; what a rule says of folders binds them too.
 */
const SERVICES = '(scheduler|domain-router|ip-manager|sender|receiver)'
const TEST_FILE = '\\.(test|fixture|testkit)\\.ts$'
const NATS = 'node_modules/(nats|@nats-io)/'

/** Files that decide: they get time, dice and news as arguments. */
const PURE = '^services/[^/]+/(policy/|state\\.ts$)'

const IO_BUILTINS =
  '^(node:)?(async_hooks|child_process|cluster|dgram|diagnostics_channel|dns|fs|http|http2|https|inspector|net|os|perf_hooks|process|readline|repl|sqlite|stream|timers|tls|tty|worker_threads)(/|$)'
const IO_PACKAGES = 'node_modules/(nats|@nats-io|nodemailer|pino|prom-client|dns-packet|mailparser|imapflow|mailauth)/'

export default {
  forbidden: [
    {
      name: 'protocol-is-alone',
      comment:
        'protocol is the language: pure, the same for everybody. Of ours it knows nothing, of npm only zod and msgpackr, of Node only url (its IDNA mapping).',
      severity: 'error',
      from: { path: '^protocol/', pathNot: TEST_FILE },
      to: { pathNot: ['^protocol/', 'node_modules/(zod|msgpackr)/', '^(node:)?url$'] },
    },
    {
      name: 'service-knows-no-service',
      comment: 'Services speak over NATS. What two of them need lies in protocol, services/runtime or services/content.',
      severity: 'error',
      from: { path: `^services/${SERVICES}/` },
      to: { path: '^services/', pathNot: '^services/($1|runtime|content)/' },
    },
    {
      name: 'runtime-knows-no-service',
      comment: 'The shell carries every actor and knows none.',
      severity: 'error',
      from: { path: '^services/runtime/' },
      to: { path: '^services/', pathNot: '^services/runtime/' },
    },
    {
      name: 'content-knows-no-service',
      comment: 'Turning content into mail is a library: it knows the language and npm packages, and no shell.',
      severity: 'error',
      from: { path: '^services/content/' },
      to: { path: '^services/', pathNot: '^services/content/' },
    },
    {
      name: 'only-known-services',
      comment: 'A new folder below services needs a place in this law first.',
      severity: 'error',
      from: { path: '^(protocol|services|scripts|test)/' },
      to: { path: '^services/', pathNot: `^services/(${SERVICES}|runtime|content)/` },
    },
    {
      name: 'services-know-no-scripts',
      comment: 'Scripts start services and watch them; the way back would ship the demo into production.',
      severity: 'error',
      from: { path: '^(protocol|services)/', pathNot: TEST_FILE },
      to: { path: '^scripts/' },
    },
    {
      name: 'nothing-knows-test',
      comment: 'What only tests use stays in test.',
      severity: 'error',
      from: { path: '^(protocol|services|scripts)/', pathNot: TEST_FILE },
      to: { path: ['^test/', TEST_FILE] },
    },
    {
      name: 'pure-imports-no-io',
      comment: 'policy/ and state.ts decide. Neither they nor what they import touches network, disk, clock, dice or log.',
      severity: 'error',
      from: { path: PURE, pathNot: TEST_FILE },
      to: { path: [IO_BUILTINS, IO_PACKAGES], reachable: true },
    },
    {
      name: 'pure-imports-no-shell',
      comment: 'services/runtime is where clock, dice, log, metrics and NATS live; a decision takes them as arguments.',
      severity: 'error',
      from: { path: PURE, pathNot: TEST_FILE },
      to: { path: '^services/runtime/' },
    },
    {
      name: 'nats-only-in-runtime',
      comment: 'The one place that knows NATS is the shell; scripts and tests look at the server from outside.',
      severity: 'error',
      from: { path: '^(protocol|services)/', pathNot: '^services/runtime/' },
      to: { path: NATS },
    },
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dev-dependency',
      comment: 'What is installed for development is absent from the images.',
      severity: 'error',
      from: { path: '^(protocol|services)/', pathNot: TEST_FILE },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that only another one brings along may be gone tomorrow.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // type-only imports obey the law too: knowing a type is knowing
    combinedDependencies: true,
    // Without both, @nats-io/* does not resolve and every rule about it is silent.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
