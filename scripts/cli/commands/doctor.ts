import type { Command } from '../command.ts'
import { EXIT } from '../failure.ts'
export const doctorCommand: Command = { name: 'doctor', positionals: [], options: ['json'], says: 'looks', examples: ['hato doctor'], run: async () => EXIT.ok }
