import { z } from 'zod'
import { Duration } from './duration.ts'
import { Id } from './ids.ts'
import { KINDS } from './words.ts'

/** Public limits of one campaign (design §4). */
export const LIMITS = {
  messageBytes: 8_000_000, // one NATS message, the server's max_payload less its headers
  headers: 20,
  headerBytes: 8_192,
  problems: 1_000, // how many are spelled out before a count takes over
  expiresAfterMs: 7 * 86_400_000,
  sendAtGraceMs: 60_000,
  mailBytes: 25_000_000,
  urgentRecipients: 1_000,
} as const

const plainText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !/[\r\n\0]/.test(text), 'must not contain CR, LF or NUL')

/** An address's full grammar is checked by `addressProblem` (addresses.ts); the schema keeps the shape. */
export const Recipient = z.strictObject({
  address: z.string().max(320),
  name: plainText(200).optional(),
  ref: z.string().max(200).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
})
export type Recipient = z.infer<typeof Recipient>

export const Attachment = z.strictObject({
  filename: plainText(200),
  contentType: plainText(200),
  /** name in the object store bucket `hato` */
  object: z.string().max(500),
  /** Content-ID of an inline image, without angle brackets; null or absent = an ordinary attachment */
  cid: plainText(200).nullish(),
})
export type Attachment = z.infer<typeof Attachment>

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM')

/** What a mail says: everything that is the same for all recipients; rests in the object store, pinned by digest. */
export const Content = z.strictObject({
  from: z.strictObject({ name: plainText(200).optional(), address: z.string().max(320) }),
  sender: z.string().max(320).optional(),
  replyTo: z.string().max(320).optional(),
  subject: plainText(1_000),
  text: z.string().optional(),
  html: z.string().optional(),
  headers: z.record(z.string(), plainText(2_000)).optional(),
  attachments: z.array(Attachment).max(50).optional(),
  unsubscribe: z.strictObject({ url: z.string().max(2_000).optional(), mailto: z.string().max(500).optional() }).optional(),
  list: z.strictObject({ id: Id, name: plainText(200).optional() }).optional(),
})
export type Content = z.infer<typeof Content>

/** The body of `campaign.jobs.<tenant>`: strict, unknown keys are named. */
export const Campaign = z.strictObject({
  id: Id,
  kind: z.enum(KINDS),
  ...Content.shape,
  pool: Id.optional(),
  weight: z.number().positive().max(1_000).default(1),
  recipients: z.array(z.unknown()).optional(), // each is read by `Recipient`, so that one bad line yields one problem
  recipientsObject: z.string().max(500).optional(),
  dedupe: z.enum(['address', 'ref', 'none']).optional(),
  /** what to do with a recipient whose variables miss one the template names */
  missing: z.enum(['skip', 'empty', 'fail']).default('fail'),
  sendAt: z.iso.datetime({ offset: true }).optional(),
  expiresAfter: Duration.optional(),
  window: z.strictObject({ from: clock, to: clock, tz: z.string().max(64) }).optional(),
  /** mails per second over the whole campaign */
  rate: z.number().positive().optional(),
  /** only over verified TLS, by hosts that promise the same onwards (RFC 8689); where that is not to be had the recipient bounces with 5.7.30 */
  requireTls: z.boolean().default(false),
  test: z.boolean().default(false),
})
export type Campaign = z.infer<typeof Campaign>

/** A thing that is wrong, where, in words a person can act on. `path` as in `recipients[17].address`. */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** Zod's issue path → `recipients[17].address`. */
export function problemPath(path: readonly PropertyKey[]): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`)).join('')
}

/** Every issue of a failed parse as problems; unknown keys are named one by one. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: problemPath([...issue.path, key]), message: 'unknown key' }))
    }
    return [{ path: problemPath(issue.path), message: issue.message }]
  })
}
