import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { greet } from './smtp/client.testkit.ts'

const MAIN = path.join(import.meta.dirname, 'main.ts')
const run = promisify(execFile)

type Ready = { readonly ready: true; readonly smtpPort: number; readonly dns: string; readonly control: string }
type Running = AsyncDisposable & Ready & { readonly child: ChildProcess }

async function start(...args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return {
    ...(JSON.parse(line) as Ready),
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

const json = async (url: string, body?: string): Promise<unknown> => (await fetch(url, body === undefined ? {} : { method: 'POST', body })).json()

describe('the world as a process', () => {
  it('takes mail, judges it, says what it is, and closes at SIGTERM', async () => {
    await using world = await start('--base', '127.0.4', '--plant', 'repeat-one')
    using client = await greet('127.0.4.14', world.smtpPort)
    expect(await client.send('ok@docomo.ne.jp', '<1>')).toBe(250)
    const published = { campaign: 'spring', addresses: ['ok@docomo.ne.jp', 'ok@gmail.com'] }
    const verdict = { ok: false, expected: 2, lost: 1, doubled: 1 }
    expect(await json(`${world.control}/verdict`, JSON.stringify({ published: [published] }))).toMatchObject(verdict)
    expect(await json(`${world.control}/verdict`, `${JSON.stringify(published)}\n`)).toMatchObject(verdict)
    expect(await json(`${world.control}/record`)).toMatchObject({ taken: 2, isps: { docomo: { stored: 1 } } })
    expect(await json(`${world.control}/record?rcpt=ok@DOCOMO.ne.jp`)).toMatchObject({ arrivals: [{ messageId: '<1>', count: 2 }] })
    expect(await json(`${world.control}/isps`)).toMatchObject({ isps: expect.arrayContaining([expect.objectContaining({ isp: 'docomo' })]) })
    expect(await json(`${world.control}/addresses`)).toMatchObject({
      base: '127.0.4',
      hosts: expect.arrayContaining([{ host: 'mfsmax.docomo.ne.jp', address: '127.0.4.14', isp: 'docomo' }]),
    })
    const gone = once(world.child, 'exit')
    world.child.kill('SIGTERM')
    expect(await gone).toEqual([0, null])
  })

  it('plants and lifts trouble, publishes sender records, and says what is wrong with an order', async () => {
    await using world = await start('--base', '127.0.5')
    expect(await json(`${world.control}/fault`, JSON.stringify({ isp: 'docomo', id: 'a', fault: { stage: 'mail', does: 'reply', code: 421 } }))).toEqual({
      ok: true,
    })
    using client = await greet('127.0.5.14', world.smtpPort)
    expect(await client.say('MAIL FROM:<a@b.example>')).toBe(421)
    expect(await json(`${world.control}/fault`, JSON.stringify({ isp: 'docomo', id: 'a', fault: null }))).toEqual({ ok: true })
    expect(await json(`${world.control}/fault`, JSON.stringify({ dns: 'gmail.com', fault: 'servfail' }))).toEqual({ ok: true })
    expect(await json(`${world.control}/fault`, JSON.stringify({ isp: 'docomo', id: 'a', fault: { stage: 'mial', does: 'cut' } }))).toMatchObject({
      error: expect.stringContaining('fault.stage'),
    })
    expect(await json(`${world.control}/fault`, '{')).toMatchObject({ error: expect.stringContaining('JSON') })
    expect(await json(`${world.control}/nothing`)).toMatchObject({ error: expect.stringContaining('POST /fault') })
    const facts = { sources: [{ address: '127.0.1.1', ehlo: 'mx1.hato.example' }], tenants: [], dkim: [] }
    expect(await json(`${world.control}/publish-sender-records`, JSON.stringify(facts))).toEqual({ ok: true })
  })

  it('ends with its standard input where it is told to', async () => {
    await using world = await start('--base', '127.0.6', '--ends-with', 'stdin')
    const gone = once(world.child, 'exit')
    world.child.stdin?.end()
    expect(await gone).toEqual([0, null])
  })

  it('explains itself, and exits 78 for what it does not understand', async () => {
    expect((await run(process.execPath, [MAIN, '--help'])).stdout).toContain('--smtp-port')
    await expect(run(process.execPath, [MAIN, '--plant', 'gold'])).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining('lose-one, repeat-one') })
    await expect(run(process.execPath, [MAIN, '--bse', '1'])).rejects.toMatchObject({ code: 78 })
  })
})
