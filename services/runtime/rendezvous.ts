/**
 * Who should own a shard: the node with the highest score for it. Every node comes to the same answer from the same set,
 * and when one comes or goes only its own shards move. Null when there is no node.
 */
export function rendezvous(shard: string, nodes: Iterable<string>): string | null {
  let best: string | null = null
  let highest = -1
  for (const node of nodes) {
    const score = hash(`${shard}\0${node}`)
    if (score > highest || (score === highest && best !== null && node < best)) [best, highest] = [node, score]
  }
  return best
}

/** FNV-1a, 32 bit, then murmur3's finish: FNV alone leaves the scores of names that differ in their last letter close together. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
