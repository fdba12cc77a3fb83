import type { z } from 'zod'
import { type Problem, problemsOf } from '../../protocol/campaign.ts'
import { decodePublic, encodeJson } from '../../protocol/codec.ts'
import type { ErrorAnswer } from '../../protocol/messages/ops.ts'
import type { Bus, Call, Listening } from '../runtime/bus/types.ts'
import { Infrastructure } from '../runtime/errors.ts'

/** What a request answers when it cannot (design §4). */
export function refusal(code: string, message: string, problems?: readonly Problem[]): ErrorAnswer {
  return { error: { code, message, ...(problems && { problems }) } }
}

export function isRefusal(answer: object): answer is ErrorAnswer {
  return 'error' in answer
}

/** Serves a public row: what `answer` resolves to is the answer; when NATS does not let us be sure of anything, that is said. */
export function servePublic(bus: Bus, subject: string, answer: (call: Call) => object | Promise<object>): Listening {
  return bus.serve(subject, async (call) => {
    try {
      call.reply(encodeJson(await answer(call)))
    } catch (error) {
      if (!(error instanceof Infrastructure)) throw error
      call.reply(encodeJson(refusal('unavailable', `${call.subject}: ${error.message}; whether anything was changed is not known, ask again`)))
    }
  })
}

/** The body of a public request by its schema, or what is wrong with it. */
export function readBody<T>(call: Call, schema: { safeParse(body: unknown): z.ZodSafeParseResult<T> }): T | ErrorAnswer {
  const body = decodePublic(call.body)
  if (body.kind === 'unreadable') return refusal('unreadable', `${call.subject}: the body is neither JSON nor msgpack (${body.because})`)
  const read = schema.safeParse(body.body)
  return read.success ? read.data : refusal('bad-request', `${call.subject} was not understood; nothing was changed`, problemsOf(read.error))
}
