/** Whose unknown users were not believed: a person may decide about them. */
import type { HeldPage } from '../../../protocol/messages/held.ts'
import { subject } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { ask } from '../ask.ts'
import { counted } from '../format.ts'
import { type Diagnosis, firstOf, good, warning } from './diagnosis.ts'

export async function lookAtHeld(bus: Bus, tenants: readonly string[]): Promise<Diagnosis[]> {
  const pages = await Promise.all(
    tenants.map(async (tenant) => {
      const page = await ask<HeldPage>(bus, { subject: subject('suppression', { tenant }), body: { action: 'held' }, who: 'scheduler', patienceMs: 0 })
      return { tenant, page }
    }),
  )
  return judgeHeld(pages)
}

export function judgeHeld(pages: readonly { readonly tenant: string; readonly page: HeldPage }[]): Diagnosis[] {
  const held = pages.filter(({ page }) => page.total > 0)
  if (held.length === 0) return [good('no verdict about a recipient is held')]
  return held.map(({ tenant, page }) =>
    warning(
      `${tenant}: ${counted(page.total, 'unknown user was', 'unknown users were')} not believed and ${page.total === 1 ? 'is' : 'are'} not suppressed; hato suppress confirm|drop ${tenant} decides`,
      firstOf(page.sites, 10, ({ site, count, brakeSince, reply }) => `${site}: ${count}${brakeSince === null ? '' : ', still so'}; it said ${reply}`),
    ),
  )
}
