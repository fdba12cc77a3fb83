import { Infrastructure, InvariantBroken, SERVER } from '../errors.ts'
import type { Link } from './link.ts'

const WITHIN_MS = 10_000
const utf8 = new TextEncoder()

export interface ApiError {
  readonly code: number
  readonly err_code: number
  readonly description: string
}
export type ApiAnswer<T> = { readonly kind: 'done'; readonly result: T } | { readonly kind: 'error'; readonly error: ApiError }

/** A question to `$JS.API.…`, repeated while the server cannot answer (no leader, 5xx). Only for questions whose repetition does no harm. */
export async function api<T>(link: Link, operation: string, request: unknown): Promise<ApiAnswer<T>> {
  const body = request === undefined ? new Uint8Array() : utf8.encode(JSON.stringify(request))
  const deadlineMs = performance.now() + WITHIN_MS
  for (;;) {
    const msg = await link.insist(`$JS.API.${operation}`, body, Math.max(1, deadlineMs - performance.now()))
    const answer = msg.json<T & { error?: ApiError }>()
    if (answer.error === undefined) return { kind: 'done', result: answer }
    if (answer.error.code < 500 || isFinal(answer.error)) return { kind: 'error', error: answer.error }
    if (performance.now() >= deadlineMs) throw new Infrastructure('unavailable', `${operation}: ${answer.error.description}`)
    await new Promise((resolve) => setTimeout(resolve, 250)) // the server's election decides, there is no event to wait for
  }
}

/** The same, where any error is a bug or a permission that lacks. */
export async function apiOrThrow<T>(link: Link, operation: string, request: unknown): Promise<T> {
  const answer = await api<T>(link, operation, request)
  if (answer.kind === 'done') return answer.result
  throw new InvariantBroken('jetstream', `${operation}: ${answer.error.description} (${answer.error.err_code})`)
}

/** 5xx that no repetition changes. NOTE: the server says 500 to the removal of a message that is not there (any more). */
function isFinal(error: ApiError): boolean {
  const { err_code, description } = error
  return (
    err_code === SERVER.storageExceeded || (err_code === SERVER.deleteFailed && /no message found|not found|EOF/.test(description)) || isKeptElsewhere(error)
  )
}

/** A consumer of this name is there, and the server does not move it between disk and memory. */
export function isKeptElsewhere({ err_code, description }: ApiError): boolean {
  return err_code === SERVER.consumerNotMade && /storage type/.test(description)
}
