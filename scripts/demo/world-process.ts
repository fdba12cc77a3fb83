/**
 * The simulated internet as a process of its own, so that it shares its event loop with nobody; asked over its HTTP door.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endProcess } from '../start/kept.ts'
import type { IspMet } from '../world/behaviours-met.ts'
import type { SenderFacts } from '../world/dns/sender-records.ts'
import type { BehaviourName } from '../world/models/names.ts'
import type { Arrival } from '../world/record.ts'
import type { Summary } from '../world/summary.ts'
import type { Verdict } from '../world/verdict.ts'

export interface PublishedList {
  readonly campaign: string
  readonly addresses: readonly string[]
  readonly dedupe?: 'address' | 'none'
  readonly excused?: readonly string[]
  readonly claimed?: readonly string[]
}

export interface WorldProcess extends AsyncDisposable {
  readonly smtpPort: number
  /** `127.0.0.1:5355` */
  readonly dns: string
  /** where MTA-STS policies are served, and the certificate (PEM) that vouches for who serves them */
  readonly stsPort: number
  readonly authority: string
  /** its HTTP door */
  readonly control: string
  readonly pid: number
  /** resolves when the process ends before it is told to */
  readonly died: Promise<Error>
  record(): Promise<Summary>
  /** what lies at the far end for one recipient */
  arrivals(rcpt: string): Promise<readonly Arrival[]>
  isps(): Promise<{ readonly isps: readonly IspMet[]; readonly notMet: readonly (readonly [isp: string, behaviour: BehaviourName])[] }>
  verdict(published: readonly PublishedList[]): Promise<Verdict>
  publishSenderRecords(facts: Omit<SenderFacts, 'inbound'>): Promise<void>
}

interface Ready {
  readonly smtpPort: number
  readonly dns: string
  readonly stsPort: number
  readonly authority: string
  readonly control: string
}

const ENTRY = fileURLToPath(new URL('../world/main.ts', import.meta.url))
const END_WITHIN_MS = 5_000

/** `flags` as in `node scripts/world/main.ts --help`. Ends with this process, whatever ends it: the world reads our end of its stdin. */
export async function startWorldProcess(flags: readonly string[]): Promise<WorldProcess> {
  const child = spawn(process.execPath, [ENTRY, '--ends-with', 'stdin', ...flags], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000)
  })
  child.stdin.on('error', () => {}) // it ended first: `died` tells
  const died = Promise.withResolvers<Error>()
  child.once('exit', (code, signal) => died.resolve(new Error(`the simulated internet ended (${signal ?? code})${said === '' ? '' : `:\n${said}`}`)))
  const ready = Promise.withResolvers<Ready>()
  createInterface({ input: child.stdout }).once('line', (line) => ready.resolve(JSON.parse(line) as Ready))
  void died.promise.then(ready.reject)
  const { smtpPort, dns, stsPort, authority, control } = await ready.promise

  const ask = async <T>(path: string, body?: string): Promise<T> => {
    const response = await fetch(`${control}${path}`, body === undefined ? {} : { method: 'POST', body })
    const answer = (await response.json()) as T & { error?: string }
    if (!response.ok) throw new Error(`the simulated internet refused ${path}: ${answer.error}`)
    return answer
  }
  return {
    smtpPort,
    dns,
    stsPort,
    authority,
    control,
    pid: child.pid as number,
    died: died.promise,
    record: () => ask('/record'),
    arrivals: async (rcpt) => (await ask<{ readonly arrivals: readonly Arrival[] }>(`/record?rcpt=${encodeURIComponent(rcpt)}`)).arrivals,
    isps: () => ask('/isps'),
    verdict: (published) => ask('/verdict', published.map((one) => JSON.stringify(one)).join('\n')),
    publishSenderRecords: async (facts) => void (await ask('/publish-sender-records', JSON.stringify(facts))),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await endProcess(child, END_WITHIN_MS)
    },
  }
}
