import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findNats } from './connect.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hato-cli-'))
  await mkdir(join(folder, 'runs'))
  await mkdir(join(folder, 'ended'))
  await mkdir(join(folder, 'broken'))
  const credentials = JSON.stringify({ ops: { user: 'ops', pass: 'secret' }, sender: { user: 'sender', pass: 'other' } })
  for (const name of ['runs', 'ended']) await writeFile(join(folder, name, 'credentials.json'), credentials)
  await writeFile(join(folder, 'runs/cluster.json'), JSON.stringify({ supervisor: process.pid, natsUrl: 'nats://127.0.0.1:5000' }))
  await writeFile(join(folder, 'ended/cluster.json'), JSON.stringify({ supervisor: 2 ** 30, natsUrl: 'nats://127.0.0.1:5000' }))
  await writeFile(join(folder, 'broken/credentials.json'), '{"publisher:acme": {}}')
})
afterAll(() => rm(folder, { recursive: true }))

const at = (name: string) => ({ HATO_DATA: join(folder, name) })

test('what was said goes before what runs, and the folder tells who we are', async () => {
  const credentials = { user: 'ops', pass: 'secret' }
  expect(await findNats('nats://a:1', { ...at('runs'), HATO_NATS_URL: 'nats://b:2' })).toEqual({ url: 'nats://a:1', from: '--nats', credentials })
  expect(await findNats(undefined, { ...at('runs'), HATO_NATS_URL: 'nats://b:2' })).toEqual({ url: 'nats://b:2', from: 'HATO_NATS_URL', credentials })
  expect(await findNats(undefined, at('runs'))).toMatchObject({ url: 'nats://127.0.0.1:5000', credentials })
  expect(await findNats(undefined, { ...at('runs'), HATO_NATS_USER: 'me', HATO_NATS_PASS: 'mine' })).toMatchObject({
    credentials: { user: 'me', pass: 'mine' },
  })
  expect(await findNats(undefined, at('runs'), 'sender')).toMatchObject({ credentials: { user: 'sender', pass: 'other' } })
})

test('a data folder whose cluster does not run is never traded for whatever listens on the default port', async () => {
  for (const name of ['ended', 'nowhere'])
    await expect(findNats(undefined, at(name))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('no cluster runs on HATO_DATA='),
    })
})

test('what cannot be meant is named', async () => {
  await expect(findNats('http://a', {})).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining('--nats is "http://a"') })
  await expect(findNats('nats://a:1', at('broken'))).rejects.toMatchObject({ kind: 'badConfig', message: expect.stringContaining('has no "ops"') })
  await expect(findNats('nats://a:1', at('runs'), 'scheduler')).rejects.toMatchObject({
    kind: 'badConfig',
    message: expect.stringContaining('has no "scheduler"'),
  })
})
