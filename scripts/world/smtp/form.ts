/** Is a body well-formed on the wire? No bare CR or LF, no NUL, no line over 998 (RFC 5321 2.3.8, 4.5.3.1.6).
 *  Jumps from LF to LF with native searches: some 10 µs for 10 KB. */

export type FormFault = 'bare-lf' | 'bare-cr' | 'nul' | 'long-line'

const LINE_MAX = 998
const CR = 13
const LF = 10

export class FormCheck {
  readonly faults = new Set<FormFault>()
  #lineBytes = 0
  #last = LF

  feed(piece: Buffer): void {
    if (piece.length === 0) return
    if (piece.includes(0)) this.faults.add('nul')
    this.#lineFeeds(piece)
    this.#carriageReturns(piece)
    this.#last = piece[piece.length - 1] ?? LF
  }

  #lineFeeds(piece: Buffer): void {
    let from = 0
    for (let at = piece.indexOf(LF); at !== -1; at = piece.indexOf(LF, from)) {
      if ((at === 0 ? this.#last : piece[at - 1]) !== CR) this.faults.add('bare-lf')
      // the CR counts as part of the line here, hence + 1
      if (this.#lineBytes + at - from > LINE_MAX + 1) this.faults.add('long-line')
      this.#lineBytes = 0
      from = at + 1
    }
    this.#lineBytes += piece.length - from
  }

  #carriageReturns(piece: Buffer): void {
    if (this.#last === CR && piece[0] !== LF) this.faults.add('bare-cr')
    for (let at = piece.indexOf(CR); at !== -1 && at + 1 < piece.length; at = piece.indexOf(CR, at + 1)) {
      if (piece[at + 1] !== LF) this.faults.add('bare-cr')
    }
  }
}
