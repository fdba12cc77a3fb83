import { decode, encode } from '../../protocol/codec.ts'
import type { Report, ReportAnswer, ReportAnswers, Reports } from '../../protocol/messages/permission.ts'
import { subject } from '../../protocol/subjects.ts'

/** Reports of one message: each may tell of dozens of leases, and the server takes 8 MB. */
const REPORTS_AT_ONCE = 50

/** What asking brings. `nobody`: surely not heard; `ended`: the connection was closed or forbids it. */
export type Asked = { readonly kind: 'answer'; readonly body: Uint8Array } | { readonly kind: 'nobody' | 'timeout' | 'ended' }
/** What became of one report. `unheard`: perhaps heard, perhaps not. */
export type Told = { readonly kind: 'answer'; readonly answer: ReportAnswer } | { readonly kind: 'unheard' | 'ended' }

interface Letter {
  readonly shard: string
  readonly report: Report
  readonly told: (told: Told) => void
}

export interface ReportPostOptions {
  readonly ask: (on: string, body: Uint8Array) => Promise<Asked>
  /** the router process that owns the shard, as far as is known */
  readonly ownerOf: (shard: string) => string | null
}

/**
 * Takes reports to routers: those that one turn has for shards of one process go in one message and have one answer. A tail of small sites lies in 32
 * shards, which are told of four times a second each; and what a router hears in one turn it answers in one: the grants that follow go together too.
 */
export class ReportPost {
  readonly #options: ReportPostOptions
  #letters: Letter[] = []

  constructor(options: ReportPostOptions) {
    this.#options = options
  }

  send(shard: string, report: Report): Promise<Told> {
    const { promise, resolve } = Promise.withResolvers<Told>()
    if (this.#letters.push({ shard, report, told: resolve }) === 1) setImmediate(() => this.leave())
    return promise
  }

  /** What is here goes now. */
  leave(): void {
    const letters = this.#letters
    this.#letters = []
    for (const [router, its] of Map.groupBy(letters, ({ shard }) => this.#options.ownerOf(shard))) {
      for (let at = 0; at < its.length; at += REPORTS_AT_ONCE) void this.#take(router, its.slice(at, at + REPORTS_AT_ONCE))
    }
  }

  async #take(router: string | null, letters: readonly Letter[]): Promise<void> {
    const asked = router === null || letters.length === 1 ? null : await this.#askAll(router, letters)
    // A process that is gone, or of before there was such a message: its shards are asked for one by one.
    if (asked === null || asked.kind === 'nobody' || asked.kind === 'ended') return void letters.map((letter) => this.#takeOne(letter))
    const answers = asked.kind === 'answer' ? decode<ReportAnswers>(asked.body).answers : []
    for (const [at, { told }] of letters.entries()) told(toldOf(answers[at] ?? null))
  }

  #askAll(router: string, letters: readonly Letter[]): Promise<Asked> {
    const reports: Reports = { reports: letters.map(({ shard, report }) => ({ shard, report })) }
    return this.#options.ask(subject('reports', { router }), encode(reports))
  }

  async #takeOne({ shard, report, told }: Letter): Promise<void> {
    const asked = await this.#options.ask(subject('report', { shard }), encode(report))
    if (asked.kind === 'ended') told({ kind: 'ended' })
    else told(toldOf(asked.kind === 'answer' ? decode<ReportAnswer>(asked.body) : null))
  }
}

function toldOf(answer: ReportAnswer | null): Told {
  return answer === null ? { kind: 'unheard' } : { kind: 'answer', answer }
}
