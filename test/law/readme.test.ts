/** README's examples are what Hato takes: the fleet file is in order, the campaigns are accepted under it. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fleet } from '../../protocol/fleet.ts'
import { PROJECT } from '../../scripts/docs/pages.ts'
import { readFleetFile } from '../../scripts/start/fleet-file.ts'
import { checkFleet } from '../../services/ip-manager/policy/fleet-check.ts'
import { judgeJob } from '../../services/scheduler/acceptance.ts'

let folder = ''
let readme = ''
let fleet: Fleet

beforeAll(async () => {
  readme = await readFile(join(PROJECT, 'README.md'), 'utf8')
  folder = await mkdtemp(join(tmpdir(), 'hato-readme-'))
  await mkdir(join(folder, 'keys'))
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(join(folder, 'keys/acme.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await writeFile(join(folder, 'fleet.toml'), blocks('toml')[0] ?? '')
  fleet = await readFleetFile(join(folder, 'fleet.toml'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("README's examples", () => {
  test('the fleet file is taken without a problem or a warning', () => {
    expect(checkFleet(fleet, () => null)).toMatchObject({ kind: 'good', warnings: [] })
  })

  test('every campaign is accepted under it', () => {
    const campaigns = blocks('json').map((text) => JSON.parse(text) as { id: string })
    expect(campaigns.map(({ id }) => id)).toEqual(['hello-1', 'spring-2026'])
    for (const campaign of campaigns) expect(judge(campaign), campaign.id).toMatchObject({ kind: 'accepted' })
  })

  test('a slip in one of them would be noticed', () => {
    const [hello = ''] = blocks('json')
    expect(judge({ ...JSON.parse(hello), from: { address: 'news@other.example' } })).toMatchObject({ kind: 'rejected' })
  })
})

function judge(campaign: object) {
  return judgeJob(campaign, { tenant: 'acme', fleet, publishedAt: Date.parse('2026-12-01T00:00:00Z'), objects: new Map() })
}

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text)
}
