/** `npm run docs`: writes the generated parts of our pages. A test keeps them equal to the tables they come from. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pages, PROJECT } from './pages.ts'

for (const { file, now, should } of pages()) {
  if (now !== should) writeFileSync(join(PROJECT, file), should)
  process.stdout.write(`${now === should ? 'is as it should be' : 'written          '} ${file}\n`)
}
