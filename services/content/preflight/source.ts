import type { DnsRecord, Finding, Source } from './finding.ts'
import { addressBits, addressParts } from './ip-range.ts'
import type { Check } from './look-up.ts'

/** PTR → EHLO name → the same address (RFC 5321 4.1.4; Google and Microsoft refuse without). */
export function* checkSource({ address, ehlo }: Source): Check<readonly Finding[]> {
  const bits = addressBits(address)
  if (bits === null) return []
  const say = (verdict: Finding['verdict'], message: string, publish?: DnsRecord): Finding[] => [
    { about: 'ptr', of: address, verdict, message, ...(publish && { publish }) },
  ]
  const reverse = `${addressParts(bits).reverse().join('.')}.${bits.bits === 32 ? 'in-addr' : 'ip6'}.arpa`
  const name = ehlo.toLowerCase()
  const ptr: DnsRecord = { name: reverse, type: 'PTR', text: `${name}.` }
  const pointed = yield { name: reverse, type: 'PTR' }
  if (pointed.kind === 'unknown') return say('unknown', pointed.because)
  if (pointed.kind === 'none') return say('bad', `has no PTR; its EHLO name is ${name}`, ptr)
  if (!pointed.records.includes(name)) return say('bad', `PTR says ${pointed.records.join(', ')}, EHLO says ${name}`, ptr)
  const type = bits.bits === 32 ? 'A' : 'AAAA'
  const back = yield { name, type }
  if (back.kind === 'unknown') return say('unknown', back.because)
  const addresses = back.kind === 'none' ? [] : back.records
  if (!addresses.some((one) => addressBits(one)?.value === bits.value))
    return say('bad', `${name} leads to ${addresses.join(', ') || 'no address'}, not back to ${address}`, { name, type, text: address })
  return say('good', `PTR, EHLO and ${type} agree on ${name}`)
}
