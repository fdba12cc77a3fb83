/** A copy of the tree as git knows it or would take it, to break in peace. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const PROJECT = resolve(import.meta.dirname, '../..')

/** What git does not know and the cluster needs: read, never changed. */
const SHARED = ['node_modules', '.cache']

export interface Copy extends Disposable {
  readonly root: string
}

export function copyTree(): Copy {
  const root = mkdtempSync(join(tmpdir(), 'hato-twins-'))
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: PROJECT, encoding: 'utf8' }).split('\0')
  for (const file of files) if (file !== '' && existsSync(join(PROJECT, file))) cpSync(join(PROJECT, file), join(root, file))
  for (const name of SHARED) symlinkSync(join(PROJECT, name), join(root, name))
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}
