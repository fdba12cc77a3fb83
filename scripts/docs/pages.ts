/** The pages with generated parts. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BLOCKS } from './blocks.ts'
import { fill, hasParts } from './markers.ts'

export const PROJECT = resolve(import.meta.dirname, '../..')

export interface Page {
  /** from the project's root */
  readonly file: string
  readonly now: string
  readonly should: string
}

/** Every page of ours, as git knows them or would take them. */
export function pageFiles(): string[] {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: PROJECT, encoding: 'utf8' }).split('\n')
  return files.filter((file) => file !== '' && existsSync(join(PROJECT, file)))
}

export function pages(): Page[] {
  return pageFiles().flatMap((file) => {
    const now = readFileSync(join(PROJECT, file), 'utf8')
    if (!hasParts(now)) return []
    try {
      return [{ file, now, should: fill(now, BLOCKS) }]
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : error}`)
    }
  })
}
