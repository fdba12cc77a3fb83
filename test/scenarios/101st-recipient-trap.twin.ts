import type { Twin } from '../kit/twin.ts'

export const twin: Twin = {
  rule: 'delivery.md §5',
  file: 'services/sender/session-ends.ts',
  is: 'mails + more >= most || rcpts + more >= terms.rcptsPerSession || refused',
  becomes: 'mails + more >= most || refused',
  breaks: 'the 101st recipient gets 554, and a hundred mails that were answered with 250 never arrive',
}
