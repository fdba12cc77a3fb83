import { setTimeout as pause } from 'node:timers/promises'
import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import type { ErrorAnswer } from '../../protocol/messages/ops.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { Failure } from './failure.ts'

export interface Question {
  readonly subject: string
  readonly body?: unknown
  /** the role that answers */
  readonly who: string
  readonly timeoutMs?: number
  /** how long nobody may be listening before we give up: a take-over takes one TTL of 3 s. 0 = not at all */
  readonly patienceMs?: number
}

const ANSWER_WITHIN_MS = 10_000
const TAKE_OVER_MS = 4_000
const AGAIN_MS = 200

/** A question of the public contract: the answer's body. Throws Failure: `unavailable` when nobody answers, `failed` when the answer is a refusal. */
export async function ask<T>(bus: Bus, question: Question): Promise<T> {
  const { subject, who } = question
  const body = question.body === undefined ? new Uint8Array() : encodeJson(question.body)
  const deadlineMs = performance.now() + (question.patienceMs ?? TAKE_OVER_MS)
  for (;;) {
    const answer = await bus.ask(subject, body, { timeoutMs: question.timeoutMs ?? ANSWER_WITHIN_MS })
    if (answer.kind === 'answer') return readAnswer<T>(answer.body, question)
    if (answer.kind === 'timeout')
      throw new Failure('unavailable', `${who} did not answer ${subject} in time; hato doctor looks at what runs`, { code: 'timeout' })
    if (performance.now() >= deadlineMs)
      throw new Failure('unavailable', `no ${who} is there to answer ${subject}; is the cluster running? hato doctor looks at what runs`, { code: 'nobody' })
    await pause(AGAIN_MS) // who begins to listen tells nobody
  }
}

function readAnswer<T>(bytes: Uint8Array, { subject, who }: Question): T {
  const read = decodePublic(bytes)
  if (read.kind === 'unreadable')
    throw new Failure('failed', `${who}'s answer to ${subject} is unreadable (${read.because}); is it of the same version as this hato?`, {
      code: 'unreadable',
    })
  const answer = read.body as T | ErrorAnswer
  if (typeof answer === 'object' && answer !== null && 'error' in answer) {
    const { code, message, problems } = answer.error
    throw new Failure(code === 'unavailable' ? 'unavailable' : 'failed', message, { code, ...(problems && { problems }) })
  }
  return answer
}
