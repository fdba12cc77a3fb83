import type { Log } from '../runtime/log.ts'
import { Infrastructure } from '../runtime/errors.ts'
import { ObjectError } from '../runtime/objects.ts'
import type { Contents, RenderedMail } from './contents.ts'
import type { Turn } from './works.ts'

/** The mail; null while NATS is away. An object that somebody took away is the content's fault, not a reason to fall over it again and again. */
export async function renderTurn({ work, n }: Turn, { contents, log }: { readonly contents: Contents; readonly log: Log }): Promise<RenderedMail | null> {
  try {
    const rendered = await contents.render(work.batch, work.batchSeq, n)
    return work.batch.requireTls && rendered.kind === 'mail' ? { ...rendered, mail: { ...rendered.mail, requiretls: true } } : rendered
  } catch (error) {
    if (error instanceof ObjectError) return { kind: 'unusable', because: error.message }
    if (!(error instanceof Infrastructure)) throw error
    log.warn('content waits', { campaign: `${work.batch.tenant}/${work.batch.campaign}`, error: error.message })
    return null
  }
}
