import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openKeyring } from './keyring.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hato-keyring-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const written = async () => JSON.parse(await readFile(join(folder, 'credentials.json'), 'utf8')) as Record<string, { user: string; pass: string }>

test('makes passwords once, keeps them, and writes them where only the owner reads, even over a file that others could', async () => {
  await writeFile(join(folder, 'credentials.json'), '{}', { mode: 0o644 })
  const first = await openKeyring(folder)
  first.admit(['acme'])
  await first.save()
  const before = await written()
  expect(Object.keys(before)).toEqual(['ops', 'scheduler', 'domain-router', 'ip-manager', 'sender', 'publisher:acme'])
  expect(before['publisher:acme']).toEqual({ user: 'publisher-acme', pass: expect.stringMatching(/^[\w-]{32}$/) })
  expect(new Set(Object.values(before).map(({ pass }) => pass)).size).toBe(6)
  expect((await stat(join(folder, 'credentials.json'))).mode & 0o777).toBe(0o600)

  const second = await openKeyring(folder)
  expect(second.tenants()).toEqual(['acme'])
  second.admit(['acme', 'other'])
  await second.save()
  expect(await written()).toMatchObject(before)
})

test('a tenant that comes back after it left gets another password', async () => {
  const keyring = await openKeyring(folder)
  keyring.admit(['acme'])
  const before = keyring.of('publisher:acme')
  keyring.admit([])
  expect(() => keyring.of('publisher:acme')).toThrow(/no entry for publisher:acme/)
  keyring.admit(['acme'])
  expect(keyring.of('publisher:acme').pass).not.toBe(before.pass)
})

test("the supervisor's own password is never on the disk", async () => {
  const keyring = await openKeyring(folder)
  keyring.admit([])
  await keyring.save()
  expect(keyring.logins()).toMatchObject({ supervisor: keyring.supervisor })
  expect(await written()).not.toHaveProperty('supervisor')
  expect((await openKeyring(folder)).supervisor.pass).not.toBe(keyring.supervisor.pass)
})

test.each(['{', '{"ops": {"user": "ops"}}', '[]\n[]', '{"ops": null}'])('a damaged file (%s) is told of, never replaced in silence', async (text) => {
  await writeFile(join(folder, 'credentials.json'), text)
  await expect(openKeyring(folder)).rejects.toThrow(/credentials.json is damaged/)
})
