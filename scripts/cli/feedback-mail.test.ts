import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Feedback } from '../../protocol/messages/ops.ts'
import { BY_WORDS, classOfBounce } from './feedback-class.ts'
import { readReturnedMail } from './feedback-mail.ts'

const FOLDER = new URL('../../test/returned-mails/', import.meta.url)
const TOKEN = 'b-abcdefghij-1a-0-abcdefgh-abcdefghijklmnop'
const NOT_OURS = 'bears no return path of ours, and anybody may have written it'
const bounce = (rcpt: string, replyClass: string) => ({ kind: 'bounce', rcpt, class: replyClass, token: TOKEN })

/** Mails as providers send them, addresses changed; what each is understood to say. */
const SAMPLES: Readonly<Record<string, object | string>> = {
  'arf-not-spam': 'a report of type not-spam',
  'arf-redacted-complaint': { kind: 'complaint', token: TOKEN },
  'docomo-unknown-user': bounce('"taro..y"@docomo.ne.jp', 'unknown-user'),
  'exchange-365-not-found': bounce('saburo@corp.example', 'unknown-user'),
  'exim-mailbox-full': bounce('hanako@far.example', 'mailbox-full'),
  'forged-without-return-path': NOT_OURS,
  'gmail-unknown-user': bounce('jiro@gmail.com', 'unknown-user'),
  'outlook-jmrp-complaint': { kind: 'complaint', rcpt: 'goro@outlook.com', token: TOKEN },
  'postfix-delayed': 'not final: delayed',
  'postfix-unknown-user': bounce('taro@far.example', 'unknown-user'),
  'qmail-unknown-user': bounce('rokuro@far.example', 'unknown-user'),
  vacation: 'neither a bounce (RFC 3464) nor a complaint (RFC 5965)',
  'yahoo-arf-complaint': { kind: 'complaint', rcpt: 'shiro@yahoo.com', token: TOKEN },
}
/** with the line ends of a maildir, or as it came over the wire */
const mailOf = (name: string, lineEnd = '\n') => Buffer.from(readFileSync(new URL(`${name}.eml`, FOLDER), 'latin1').replace(/\r?\n/g, lineEnd), 'latin1')

describe('a returned mail', () => {
  it('has a sample here for each file, and no other', () => {
    expect(
      readdirSync(FOLDER)
        .map((name) => name.replace(/\.eml$/, ''))
        .toSorted(),
    ).toEqual(Object.keys(SAMPLES).toSorted())
  })

  it.each(Object.entries(SAMPLES))('%s', async (name, expected) => {
    for (const lineEnd of ['\n', '\r\n']) {
      const read = await readReturnedMail(mailOf(name, lineEnd), name)
      if (typeof expected === 'string') expect(read).toEqual({ kind: 'nothing', because: expected })
      else {
        expect(read).toMatchObject({ kind: 'feedback', entries: [expected] })
        if (read.kind === 'feedback') for (const entry of read.entries) expect(Feedback.safeParse(entry).success).toBe(true)
        expect(await readReturnedMail(mailOf(name, lineEnd), name), 'the same mail is the same feedback').toEqual(read)
      }
    }
  })

  it('without our return path is never feedback, whatever else it says', async () => {
    for (const name of Object.keys(SAMPLES)) {
      const forged = Buffer.from(mailOf(name).toString('latin1').replaceAll(TOKEN, 'bounces'), 'latin1')
      expect(await readReturnedMail(forged, name), name).toMatchObject({ kind: 'nothing' })
    }
  })

  it('that is rubbish says nothing', async () => {
    for (const text of ['', '\0\0\0', 'a'.repeat(100_000), 'Content-Type: multipart/report; boundary=x\n\n--x\n'])
      expect(await readReturnedMail(Buffer.from(text), 'm')).toMatchObject({ kind: 'nothing' })
  })
})

describe('what a bounce says', () => {
  it.each(BY_WORDS)('$seen', ({ seen, then }) => {
    expect(classOfBounce('5.0.0', seen)).toBe(then)
  })
  it('is its code, or the one of its diagnostic where it has only "failed", or unknown', () => {
    expect(classOfBounce('5.1.1', '')).toBe('unknown-user')
    expect(classOfBounce('5.0.0', '452 4.2.2 over quota')).toBe('mailbox-full')
    expect(classOfBounce('5.7.1', '550 5.1.1 no')).toBe('blocked')
    expect(classOfBounce('5.5.0', '550 something else')).toBeUndefined()
  })
})
