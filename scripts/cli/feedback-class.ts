import type { ReplyClass } from '../../protocol/words.ts'

/** RFC 3463 codes that mean one thing everywhere. */
const BY_CODE: readonly (readonly [RegExp, ReplyClass])[] = [
  [/^5\.1\.(1|10)$/, 'unknown-user'],
  [/^5\.1\.(2|4)$/, 'no-such-domain'],
  [/^[45]\.2\.2$/, 'mailbox-full'],
  [/^5\.2\.1$/, 'mailbox-disabled'],
  [/^5\.1\.6$/, 'mailbox-disabled'],
  [/^5\.3\.4$/, 'too-large'],
  [/^5\.7\./, 'blocked'],
]

/** Where the code says nothing (`5.0.0`), the words do; each row with the diagnostic that taught it. */
export const BY_WORDS: readonly { readonly seen: string; readonly when: RegExp; readonly then: ReplyClass }[] = [
  { seen: '552 Requested mail action aborted: quota exceeded', when: /quota|mailbox (is )?full|容量/i, then: 'mailbox-full' },
  { seen: '550 Unknown user taro..y@docomo.ne.jp', when: /(unknown|no such|invalid) (user|recipient|mailbox|address)/i, then: 'unknown-user' },
  { seen: '550 Requested action not taken: mailbox unavailable (User unknown)', when: /user (is )?(unknown|not found)/i, then: 'unknown-user' },
  { seen: "Sorry, no mailbox here by that name. I'm not going to try again", when: /no mailbox here by that name/i, then: 'unknown-user' },
  { seen: '554 delivery error: This user doesn’t have an account here', when: /does(n['’]t| not) (exist|have an? .{0,20}account)/i, then: 'unknown-user' },
  { seen: '550 宛先のメールアドレスが見つかりません', when: /(アドレス|宛先|あて先).{0,20}(見つかり|存在し)/u, then: 'unknown-user' },
  {
    seen: '554 The account has been disabled or discontinued',
    when: /(account|mailbox).{0,20}(disabled|suspended|discontinued|inactive)/i,
    then: 'mailbox-disabled',
  },
]

/** What a bounce says of its recipient; undefined = nothing that is known. The diagnostic's own code stands before a status that says only "failed". */
export function classOfBounce(status: string, diagnostic: string): ReplyClass | undefined {
  const told = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(diagnostic)?.[0]
  const codes = /\.0\.0$/.test(status) && told !== undefined ? [told] : [status, told ?? '']
  for (const code of codes) {
    const found = BY_CODE.find(([pattern]) => pattern.test(code))
    if (found) return found[1]
  }
  return BY_WORDS.find(({ when }) => when.test(diagnostic))?.then
}
