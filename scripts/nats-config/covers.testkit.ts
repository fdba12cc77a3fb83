/** Does the server let a user who may say `allowed` (with wildcards) say `subject`? A wildcard in `subject` is covered by a wildcard only. */
export function covers(allowed: string, subject: string): boolean {
  const [forms, tokens] = [allowed.split('.'), subject.split('.')]
  for (const [at, form] of forms.entries()) {
    const token = tokens[at]
    if (token === undefined) return false
    if (form === '>') return true
    if (form !== '*' ? form !== token : token === '>') return false
  }
  return forms.length === tokens.length
}
