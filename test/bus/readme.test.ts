/** README's five lines of TypeScript, run as they stand there against a real server. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { STREAM, STREAMS } from '../../protocol/streams.ts'
import { subject } from '../../protocol/subjects.ts'
import { PROJECT } from '../../scripts/docs/pages.ts'
import { natsForFile, text } from '../kit/bus.ts'

const here = natsForFile()

test('publishing with five lines of TypeScript puts the campaign into the stream', async () => {
  await here.bus.ensureStreams(STREAMS)
  const readme = await readFile(`${PROJECT}/README.md`, 'utf8')
  const snippet = /^```ts\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? ''
  expect(snippet.trimEnd().split('\n')).toHaveLength(5)
  const standsThere = 'nats://127.0.0.1:4222'
  expect(snippet).toContain(standsThere)

  const program = snippet.replace(standsThere, here.nats.url)
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    cwd: PROJECT,
    env: { ...process.env, NATS_PASSWORD: 'secret' },
  })
  expect(stdout).toMatch(/stream: 'JOBS'/)

  const stored = await here.bus.readLast(STREAM.jobs, subject('campaignJob', { tenant: 'acme' }))
  expect(JSON.parse(text(stored?.body ?? new Uint8Array()))).toMatchObject({ id: 'hello-2', recipients: [{ address: 'taro@example.jp' }] })
})
