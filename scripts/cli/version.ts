import { readFile } from 'node:fs/promises'

/** Of package.json, since that is where it is changed. */
export async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
