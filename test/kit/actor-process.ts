/** The smallest actor: what runActor makes of signals, a dead supervisor and bugs is tried on it. */
import { runActor } from '../../services/runtime/lifecycle.ts'

const config = {
  mood: { env: 'HATO_TEST_MOOD', unit: 'choice', of: ['good', 'crash', 'slow-stop', 'stuck-stop'], default: 'good', why: 'what goes wrong' },
} as const

await runActor({ role: 'test', config, env: process.env }, async ({ config: { mood }, log, bus }) => {
  const listening = bus.serve('actor.mood', (call) => call.reply(new TextEncoder().encode(mood)))
  if (mood === 'crash') setTimeout(() => Promise.reject(new Error('a bug of taro@example.jp')), 50)
  return {
    async [Symbol.asyncDispose]() {
      if (mood === 'slow-stop') await new Promise((resolve) => setTimeout(resolve, 500))
      if (mood === 'stuck-stop') await new Promise((resolve) => setTimeout(resolve, 60_000))
      listening[Symbol.dispose]()
      log.info('let-go', { connected: bus.connected })
    },
  }
})
