import { describe, expect, it } from 'vitest'
import { mailsOf } from './cells.ts'
import { readSpeed } from './machine.ts'
import { readTicks } from './profile/cpu.ts'
import { markdown, type Report, signatureLine, terminalLines } from './report.ts'

const about = (name: string, title: string) => ({ name, title, version: '1', settings: 'as it comes', durability: 'none' })
const plain = { bodyKb: 10, dkim: 'none' } as const
const signed = { bodyKb: 10, dkim: 'rsa-2048' } as const
const row = (contender: string, cell: Report['rows'][number]['cell'], median: number, toFinished: number | null = null) => ({
  ...{ contender, cell, mails: 1_000, rates: [median], median, toFinished },
})

const report: Report = {
  machine: { cpu: 'Abacus', cores: 2, memoryGb: 8, system: 'Debian', node: '24', nats: '2.15', fileSystem: 'ext4', load: 0.1 },
  command: 'npm run bench -- --quick',
  pace: 'quick',
  day: '2026-11-24',
  rows: [row('hato', signed, 900, 800), row('hato', plain, 1_200, 1_000), row('peer', plain, 250)],
  contenders: [about('hato', 'Hato'), about('peer', 'Peer')],
  absent: [{ name: 'gone', title: 'Gone', because: 'it is not installed' }],
  failed: [],
  signatures: 2_000,
}

describe('the report', () => {
  it('puts ratios before rates, and the common mails first', () => {
    const lines = terminalLines(report, (text) => text)
    const [ratios, rates] = ['as a multiple of', 'Mails a second'].map((title) => lines.findIndex((line) => line.includes(title)))
    expect(ratios).toBeGreaterThan(-1)
    expect(rates).toBeGreaterThan(ratios as number)
    expect(lines[(ratios as number) + 2]).toMatch(/DKIM rsa|DKIM none/)
    expect(lines.find((line) => line.includes('4.0×'))).toMatch(/10 KB, DKIM none/)
  })

  it('leaves open what was not measured with the same mails, and names who is missing', () => {
    const page = markdown(report)
    expect(page).toContain('| 10 KB, DKIM rsa-2048 | – |')
    expect(page).toContain('Not measured: Gone, since it is not installed.')
  })

  it('holds the signed rate against what the cores could sign', () => {
    expect(signatureLine(report)).toContain('4,000 on 2 that do nothing else; Hato signs and sends 800 mails a second, 20 % of that')
    expect(signatureLine({ ...report, signatures: null })).toBeNull()
  })
})

it('as many mails as take the seconds, fewer where each is large or signed', () => {
  expect(mailsOf(1_000, { bodyKb: 10, dkim: 'none' }, 8)).toBe(8_000)
  expect(mailsOf(1_000, { bodyKb: 100, dkim: 'none' }, 8)).toBe(1_600)
  expect(mailsOf(1_000, { bodyKb: 10, dkim: 'rsa-2048' }, 8)).toBe(4_000)
  expect(mailsOf(1_000, { bodyKb: 100, dkim: 'rsa-2048' }, 8)).toBe(1_600)
  expect(mailsOf(100, { bodyKb: 100, dkim: 'none' }, 1)).toBe(100)
})

it('openssl and /proc are read as they write', () => {
  const said = '                  sign    verify    sign/s verify/s\nrsa 2048 bits 0.000278s 0.000008s   3600.5 122000.3\n'
  expect(readSpeed(said)).toBe(3_600.5)
  expect(readSpeed('usage')).toBeNull()
  expect(readTicks('7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 1')).toBe(300)
})
