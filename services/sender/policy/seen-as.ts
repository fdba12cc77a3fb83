import { addressBits } from '../../content/preflight/ip-range.ts'

/** `[203.0.113.7]`, `(203.0.113.7)`, `[IPv6:2001:db8::7]`, `hello mx7.hato.example [203.0.113.7], pleased to meet you` */
const LITERAL = /[[(](?:IPv6:)?([0-9a-f:.]{3,45})[\])]/gi

/**
 * The address a peer sees us from, where the first line of its EHLO reply repeats one (delivery.md §7) and it is not ours: a NAT, a proxy or a route sends the
 * mail out elsewhere than SPF, PTR and reputation say. Null where it names none, ours among others, or only its own.
 */
export function seenAs(ehloLine: string, ours: string, peer: string): string | null {
  const named = [...ehloLine.matchAll(LITERAL)].map(([, address = '']) => address.toLowerCase()).filter((address) => addressBits(address) !== null)
  if (named.some((address) => same(address, ours))) return null
  return named.find((address) => !same(address, peer)) ?? null
}

function same(a: string, b: string): boolean {
  const [left, right] = [addressBits(a), addressBits(b)]
  return left !== null && right !== null && left.bits === right.bits && left.value === right.value
}

/** The same question again, as it comes with each mail of a session, has the answer it had. */
export function askedOnce(ask: typeof seenAs): typeof seenAs {
  let last: { readonly ehloLine: string; readonly ours: string; readonly peer: string; readonly answer: string | null } | null = null
  return (ehloLine, ours, peer) => {
    if (last?.ehloLine !== ehloLine || last.ours !== ours || last.peer !== peer) last = { ehloLine, ours, peer, answer: ask(ehloLine, ours, peer) }
    return last.answer
  }
}
