/**
 * An address or site in the *middle* of a subject takes its token form: `.` → `_`, `:` → `-` (design §4).
 * NOTE: not reversible in general (`a_b` and `a.b` meet); sites are chosen so that their tokens are unique, and whoever needs the original reads it from the body.
 */
export function token(name: string): string {
  return name.replaceAll('.', '_').replaceAll(':', '-')
}
