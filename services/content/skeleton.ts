import MailComposer from 'nodemailer/lib/mail-composer'
import type MimeNode from 'nodemailer/lib/mime-node'
import type { Attachment } from '../../protocol/campaign.ts'
import { encodeAttachment } from './base64.ts'
import type { EncodedText } from './bodies.ts'

/**
 * The MIME structure of a campaign's mails. nodemailer decides it once per campaign (alternative, related, mixed; names of attachments by
 * RFC 2231 with an encoded word in `name=` for the programs that read only that); each recipient's mail fills in its texts and its boundary.
 * Attachments are encoded here, once.
 */

export type BodyKind = 'text' | 'html'

export interface Skeleton {
  /** Content-Type of a multipart mail with `BOUNDARY` in it, folded; null when the mail is a single text */
  readonly contentType: string | null
  readonly pieces: readonly Piece[]
}

/** `glue` and `attachment` go out as they are once the boundary stands for `BOUNDARY`; a `body` is the recipient's. */
export type Piece =
  | { readonly kind: 'glue'; readonly text: string }
  | { readonly kind: 'attachment'; readonly base64: Uint8Array }
  | { readonly kind: 'body'; readonly body: BodyKind }

/** Stands for the changing part of boundaries; as long as what replaces it, so that folding stays right. */
export const BOUNDARY = 'hatoboundaryhatoboundary'

export interface LoadedAttachment extends Attachment {
  readonly bytes: Uint8Array
}

export function buildSkeleton(bodies: readonly BodyKind[], attachments: readonly LoadedAttachment[]): Skeleton {
  const [only] = bodies
  if (bodies.length === 1 && only && attachments.length === 0) return { contentType: null, pieces: [{ kind: 'body', body: only }] }
  const marks = new Map<unknown, BodyKind>(bodies.map((body) => [`<${body} goes here>`, body]))
  const [text, html] = (['text', 'html'] as const).map((body) => [...marks].find(([, kind]) => kind === body)?.[0] as string | undefined)
  const root = new MailComposer({
    ...(text ? { text } : {}),
    ...(html ? { html } : {}),
    attachments: attachments.map(({ filename, contentType, cid, bytes }) => ({
      filename,
      contentType,
      content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      contentTransferEncoding: 'base64',
      ...(cid ? { cid } : {}),
    })),
    baseBoundary: BOUNDARY,
    boundaryPrefix: '=_hato', // RFC 2045 6.7: `=_` stands in no quoted-printable and no base 64 text
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile()
  const contentType = contentFieldsOf(root)
  const pieces: Piece[] = []
  writeChildren(root, marks, pieces)
  return { contentType, pieces: mergeGlue(pieces) }
}

function writeChildren(node: MimeNode, marks: ReadonlyMap<unknown, BodyKind>, pieces: Piece[]): void {
  for (const [at, child] of node.childNodes.entries()) {
    const fields = contentFieldsOf(child) // also settles the child's own boundary
    pieces.push({ kind: 'glue', text: `${at > 0 ? '\r\n' : ''}--${node.boundary}\r\n` })
    const body = marks.get(child.content)
    if (body) pieces.push({ kind: 'body', body })
    else if (child.multipart) {
      pieces.push({ kind: 'glue', text: `${fields}\r\n\r\n` })
      writeChildren(child, marks, pieces)
    } else {
      pieces.push({ kind: 'glue', text: `${fields}\r\n\r\n` })
      pieces.push({ kind: 'attachment', base64: Buffer.from(encodeAttachment(child.content as Uint8Array), 'latin1') })
    }
  }
  pieces.push({ kind: 'glue', text: `\r\n--${node.boundary}--\r\n` })
}

/** The Content-* fields of a node, folded; a root's other fields are ours to write. */
function contentFieldsOf(node: MimeNode): string {
  return node
    .buildHeaders()
    .split(/\r\n(?![ \t])/)
    .filter((field) => /^content-/i.test(field))
    .join('\r\n')
}

function mergeGlue(pieces: readonly Piece[]): Piece[] {
  const merged: Piece[] = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    if (piece.kind === 'glue' && last?.kind === 'glue') merged[merged.length - 1] = { kind: 'glue', text: last.text + piece.text }
    else merged.push(piece)
  }
  return merged
}

/** The fields above a text body. */
export function bodyFields(body: BodyKind, { encoding }: EncodedText): [contentType: string, transferEncoding: string] {
  return [`Content-Type: text/${body === 'html' ? 'html' : 'plain'}; charset=utf-8`, `Content-Transfer-Encoding: ${encoding}`]
}
