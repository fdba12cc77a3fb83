import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readFleetFile } from './fleet-file.ts'

const GOOD = `
[network]
dns = ["127.0.0.1:5355"]   # the lab's own
smtp_port = 2525
[[tenant]]
name = "acme"
domains = [
  "acme.example",
  "shop.acme.example",
]
return_path = "bounce.acme.example"
[[pool]]
name = "acme"
tenants = ["acme"]
[[ip]]
address = "127.0.1.1"
pool = "acme"
ehlo = "mx1.hato.example"
[[dkim]]
domain = "acme.example"
tenants = ["acme"]
selector = "s1"
key = "keys/acme.pem"
[retry]
first = "2s"
`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hato-fleet-'))
  await mkdir(join(folder, 'keys'))
  await writeFile(join(folder, 'keys/acme.pem'), '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function read(text: string) {
  const path = join(folder, 'fleet.toml')
  await writeFile(path, text)
  return readFleetFile(path).then(
    (fleet) => ({ fleet, said: '' }),
    (error: Error) => ({ fleet: null, said: error.message.replaceAll(`${folder}/`, '') }),
  )
}

describe('a fleet file', () => {
  test('is read with its defaults, and keys come from files beside it', async () => {
    const { fleet } = await read(GOOD)
    expect(fleet?.network).toEqual({ dns: ['127.0.0.1:5355'], smtp_port: 2525, allow_private_mx: false, only_private_mx: false })
    expect(fleet?.dkim[0]?.key).toContain('BEGIN PRIVATE KEY')
    expect(fleet?.ip[0]?.egress).toBe('bind')
  })

  test.each([
    ['a misspelt key', (text: string) => text.replace('ehlo =', 'helo ='), 'fleet.toml:18: ip[0].helo is not a key there; did you mean ehlo?'],
    ['a misspelt table', (text: string) => text.replace('[[pool]]', '[[pol]]'), 'fleet.toml:12: pol is not a key there; did you mean pool?'],
    [
      'an unknown key in [network]',
      (text: string) => text.replace('smtp_port', 'smtpport'),
      'fleet.toml:4: network.smtpport is not a key there; did you mean smtp_port?',
    ],
    [
      'an undefined pool',
      (text: string) => text.replace('pool = "acme"', 'pool = "acne"'),
      'fleet.toml:17: ip[0].pool: pool "acne" is not defined; there is acme',
    ],
    [
      'a key that is not there',
      (text: string) => text.replace('keys/acme.pem', 'keys/no.pem'),
      'fleet.toml:23: dkim[0].key: keys/no.pem cannot be read: no such file or directory',
    ],
    ['a wait that is none', (text: string) => text.replace('first = "2s"', 'first = "soon"'), 'fleet.toml:25: retry.first: '],
    [
      'a misspelt reason of [retry]',
      (text: string) => `${text}[retry.greylistd]\nfirst = "1s"\n`,
      'fleet.toml:26: retry.greylistd is not a key there; did you mean greylisted?',
    ],
    ['text that is no TOML', (text: string) => text.replace('name = "acme"', 'name = acme'), 'fleet.toml:6: this is no TOML: '],
    [
      'a rule that catches nothing',
      (text: string) => `${text}[[rule]]\nid = "x"\nseen = "421 busy"\ntext = "greylist"\nclass = "site-busy"\nblames = "site"\n`,
      'fleet.toml:28: rule[0].seen: the rule does not catch its own sample "421 busy"',
    ],
  ])('%s is refused with its line', async (_, spoil, said) => {
    expect((await read(spoil(GOOD))).said).toContain(said)
  })

  test('tells every problem at once, in the order of the lines', async () => {
    const { said } = await read(GOOD.replace('smtp_port', 'smtpport').replace('ehlo =', 'helo ='))
    expect(said.split('\n').map((line) => line.split(':')[1])).toEqual(['4', '15', '18'])
  })

  test('that is not there says so', async () => {
    await expect(readFleetFile(join(folder, 'none.toml'))).rejects.toThrow(/none\.toml cannot be read: no such file or directory/)
  })
})
