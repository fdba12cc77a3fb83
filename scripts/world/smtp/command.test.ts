import { expect, it } from 'vitest'
import { readCommand } from './command.ts'

it.each([
  [
    'MAIL FROM:<News+1=a@Bounce.Acme.Example> SIZE=1234 BODY=8BITMIME',
    { verb: 'mail', from: 'News+1=a@bounce.acme.example', sizeBytes: 1234, requiresTls: false },
  ],
  ['mail from:<>', { verb: 'mail', from: '', sizeBytes: 0, requiresTls: false }],
  ['MAIL FROM:<a@b.example> SIZE=1 REQUIRETLS', { verb: 'mail', from: 'a@b.example', sizeBytes: 1, requiresTls: true }],
  ['RCPT TO:<Taro@DOCOMO.ne.jp>', { verb: 'rcpt', to: 'Taro@docomo.ne.jp' }],
  ['RCPT TO:<"taro..y"@docomo.ne.jp>', { verb: 'rcpt', to: 'taro..y@docomo.ne.jp' }],
  ['RCPT TO:<"a>b"@x.example>', { verb: 'rcpt', to: 'a>b@x.example' }],
  ['RCPT TO:<>', { verb: 'other' }],
  ['RCPT TO:taro@x.example', { verb: 'other' }],
  ['EHLO mx7.hato.example ', { verb: 'ehlo', name: 'mx7.hato.example' }],
  ['DATA', { verb: 'data' }],
  ['STARTTLS', { verb: 'starttls' }],
  ['quit', { verb: 'quit' }],
  ['VRFY taro', { verb: 'other' }],
  ['', { verb: 'other' }],
])('%j is %j', (line, command) => {
  expect(readCommand(Buffer.from(line))).toEqual(command)
})
