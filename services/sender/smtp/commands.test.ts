import { describe, expect, test } from 'vitest'
import { envelopeCommands, mailCommand, whyUnfit } from './commands.ts'
import { parseEhlo } from './ehlo.ts'
import { envelope } from './testing/client.ts'
import { InvariantBroken } from '../../runtime/errors.ts'

const { extensions: rich } = parseEhlo(['250-mx', '250-PIPELINING', '250-SIZE 1000', '250-8BITMIME', '250-SMTPUTF8', '250 REQUIRETLS'].join('\n'))
const { extensions: bare } = parseEhlo('250 mx')

describe('EHLO', () => {
  test('keywords are read in any case, the old AUTH= too, and the first line is no keyword', () => {
    const { extensions, greeting } = parseEhlo(
      '250-size.pipelining.example at your service, [203.0.113.7]\n250-Pipelining\n250-AUTH=LOGIN PLAIN\n250 size 35882577',
    )
    expect([...extensions.keywords]).toEqual(['PIPELINING', 'AUTH', 'SIZE'])
    expect(extensions.sizeMax).toBe(35_882_577)
    expect(greeting).toBe('size.pipelining.example at your service, [203.0.113.7]')
  })

  test.each(['250 SIZE', '250 SIZE 0', '250 SIZE x'])('%j offers SIZE without a limit', (line) => {
    const { extensions } = parseEhlo(`250-mx\n${line}`)
    expect(extensions.keywords.has('SIZE')).toBe(true)
    expect(extensions.sizeMax).toBeNull()
  })
})

describe('MAIL', () => {
  test('carries each parameter where it was offered', () => {
    const all = envelope({ size: 900, bodyEncoding: '8bit', smtputf8: true, requiretls: true, from: 'ニュース@acme.example' })
    expect(mailCommand(all, rich)).toBe('MAIL FROM:<ニュース@acme.example> SIZE=900 BODY=8BITMIME SMTPUTF8 REQUIRETLS\r\n')
  })

  test('carries none where nothing was, and none that is not needed', () => {
    expect(mailCommand(envelope({ size: 900, bodyEncoding: '8bit' }), bare)).toBe('MAIL FROM:<news@acme.example>\r\n')
    expect(mailCommand(envelope({ from: '' }), rich)).toBe('MAIL FROM:<>\r\n')
  })

  test('with RCPT and DATA is one text', () => {
    expect(envelopeCommands(envelope({ rcpts: ['a@b.example', 'taro..y@docomo.ne.jp'] }), bare)).toBe(
      'MAIL FROM:<news@acme.example>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<"taro..y"@docomo.ne.jp>\r\nDATA\r\n',
    )
  })

  test('never holds UTF-8 that was not announced, nor a recipient that is none', () => {
    expect(() => mailCommand(envelope({ from: 'é@b.example' }), rich)).toThrow(InvariantBroken)
    expect(() => envelopeCommands(envelope({ rcpts: [''] }), rich)).toThrow(InvariantBroken)
  })
})

test('an envelope that the peer cannot take is told apart before a byte is written', () => {
  expect(whyUnfit(envelope({ smtputf8: true }), bare, 'plain')).toBe('smtputf8')
  expect(whyUnfit(envelope({ requiretls: true }), rich, 'plain')).toBe('requiretls')
  expect(whyUnfit(envelope({ size: 1_001 }), rich, 'tls')).toBe('size')
  expect(whyUnfit(envelope({ smtputf8: true, requiretls: true, size: 1_000 }), rich, 'tls')).toBeNull()
})
