/** Trials by name, one after another: each on a cluster and a sink of its own. */
import type { Surroundings } from '../contender.ts'
import { startSink } from '../sink.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { million } from './million.ts'
import { senders } from './senders.ts'
import { sessions } from './sessions.ts'
import { sites } from './sites.ts'
import type { Finding, Trial } from './trial.ts'

export const TRIALS: readonly Trial[] = [idle, latency, senders, sites, sessions, million]

export interface TrialResult {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly findings: readonly Finding[]
  /** null, or why there are no findings */
  readonly failed: string | null
}

export async function runTrials(
  { trials: names, recipients }: { readonly trials: readonly string[]; readonly recipients: number },
  dir: string,
  { say, signal }: Pick<Surroundings, 'say' | 'signal'>,
): Promise<TrialResult[]> {
  const results: TrialResult[] = []
  for (const { name, title, about, run } of TRIALS.filter((trial) => names.length === 0 || names.includes(trial.name))) {
    say(`${title}: ${about}`)
    try {
      const findings = await run({ sink: (host) => startSink(dir, host), recipients, say, signal })
      results.push({ name, title, about, findings, failed: null })
      for (const line of findings.map(findingLine)) say(`  ${line}`)
    } catch (error) {
      signal.throwIfAborted()
      results.push({ name, title, about, findings: [], failed: error instanceof Error ? error.message : String(error) })
      say(`  failed: ${results.at(-1)?.failed}`)
    }
  }
  return results
}

export function findingLine({ what, found, asked }: Finding): string {
  return `${what}: ${found}${asked === null ? '' : ` (wanted ${asked.words}: ${asked.met ? 'reached' : 'not reached'})`}`
}

/** The section of BENCHMARKS.md. */
export function trialsMarkdown(results: readonly TrialResult[], command: string, day: string): string {
  const lines = [`\`${command}\` on ${day}.`, '']
  for (const { title, about, findings, failed } of results) {
    lines.push(`### ${title}`, '', `${about[0]?.toUpperCase()}${about.slice(1)}.`, '')
    if (failed !== null) lines.push(`Failed: ${failed}`, '')
    else {
      lines.push('| | found | wanted | |', '| --- | --: | --: | --- |')
      for (const { what, found, asked } of findings)
        lines.push(`| ${what} | ${found} | ${asked?.words ?? ''} | ${asked === null ? '' : asked.met ? 'reached' : 'not reached'} |`)
      lines.push('')
    }
  }
  return lines.join('\n').trim()
}
