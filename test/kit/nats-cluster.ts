import { freePort, type NatsOptions, startNats, type TestNats } from './nats.ts'

export interface TestNatsCluster extends AsyncDisposable {
  /** by server name: n1, n2, n3 */
  readonly servers: ReadonlyMap<string, TestNats>
  /** all servers, separated by commas */
  readonly url: string
}

/** Three servers that know each other, each with its own store. NOTE: their meta leader takes a second or two to be elected; ensureStreams waits for it. */
export async function startNatsCluster(options: Omit<NatsOptions, 'port'> = {}): Promise<TestNatsCluster> {
  const names = ['n1', 'n2', 'n3']
  const routePorts = await Promise.all(names.map(() => freePort()))
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`).join(', ')
  const servers = new Map<string, TestNats>()
  for (const [at, name] of names.entries()) {
    const extra = `server_name: ${name}\ncluster { name: hato, listen: "127.0.0.1:${routePorts[at]}", routes: [ ${routes} ] }\n${options.extra ?? ''}`
    servers.set(name, await startNats({ ...options, extra }))
  }
  return {
    servers,
    url: [...servers.values()].map(({ url }) => url).join(','),
    async [Symbol.asyncDispose]() {
      for (const server of servers.values()) await server[Symbol.asyncDispose]()
    },
  }
}
