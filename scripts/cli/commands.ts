import type { Command } from './command.ts'
import { applyCommand, fleetCommand } from './commands/fleet.ts'
import { controlCommands } from './commands/control.ts'
import { doctorCommand } from './commands/doctor.ts'
import { eventsCommand } from './commands/events.ts'
import { heldCommands } from './commands/held.ts'
import { feedbackCommand } from './commands/feedback.ts'
import { ipCommands } from './commands/ip.ts'
import { ispCommands } from './commands/isp.ts'
import { runCommand } from './commands/run.ts'
import { sendCommand } from './commands/send.ts'
import { statusCommand } from './commands/status.ts'
import { tlsReportCommand } from './commands/tls-report.ts'
import { suppressCommands } from './commands/suppress.ts'

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  sendCommand,
  statusCommand,
  ...controlCommands,
  eventsCommand,
  ...ipCommands,
  ...ispCommands,
  ...suppressCommands,
  ...heldCommands,
  feedbackCommand,
  applyCommand,
  fleetCommand,
  tlsReportCommand,
  doctorCommand,
  runCommand,
]
