import { decode } from '../../protocol/codec.ts'
import type { Bucket, WatchOptions } from './kv.ts'
import type { NodeRecord } from './liveness.ts'

export interface OwnerRow {
  /** node id; null = released, nobody's */
  readonly owner: string | null
  /** revision of the row's last write: grows with every change of owner */
  readonly epoch: number
}

/** Who owns the shards of a role, kept by a watch: for routing, and for refusing older epochs. */
export interface Owners {
  /** the first reading is complete; before it nothing may be concluded from an absence */
  readonly ready: Promise<void>
  ownerOf(shard: string): OwnerRow | null
  shards(): ReadonlyMap<string, OwnerRow>
  /** nodes of the role whose key stands */
  nodes(): ReadonlyMap<string, NodeRecord>
  /** ms since the server was last heard: "while it watches" (S3) means < 3 s, which only an attentive watch can promise */
  silentMs(): number
  close(): void
}

export interface OwnersOptions extends WatchOptions {
  /** `nodes()` is not asked: each node's refresh, one a second, need not come */
  readonly rowsOnly?: boolean
}

/** `onChange(shard, row)` for an ownership row, `onChange(null, null)` when a node came or went. */
export function watchOwners(
  bucket: Bucket,
  role: string,
  onChange: (shard: string | null, row: OwnerRow | null) => void = () => {},
  { rowsOnly = false, ...options }: OwnersOptions = {},
): Owners {
  const rows = new Map<string, OwnerRow>()
  const nodes = new Map<string, NodeRecord>()
  const nodePrefix = `node.${role}.`
  const watch = bucket.watch(
    rowsOnly ? [`${role}.*`] : [`${nodePrefix}*`, `${role}.*`],
    ({ key, value, revision }) => {
      if (key.startsWith(nodePrefix)) {
        const id = key.slice(nodePrefix.length)
        const before = nodes.get(id)
        const now = value === null ? undefined : decode<NodeRecord>(value)
        if (now === undefined) nodes.delete(id)
        else nodes.set(id, now)
        // refreshes, one a second and node, are no news
        if (before?.incarnation !== now?.incarnation || before?.leaving !== now?.leaving) onChange(null, null)
        return
      }
      const shard = key.slice(role.length + 1)
      if (value === null) {
        rows.delete(shard)
        return onChange(shard, null)
      }
      const row: OwnerRow = { owner: decode<{ owner: string | null }>(value).owner, epoch: revision }
      rows.set(shard, row)
      onChange(shard, row)
    },
    options,
  )
  return {
    ready: watch.caughtUp,
    ownerOf: (shard) => rows.get(shard) ?? null,
    shards: () => rows,
    nodes: () => nodes,
    silentMs: () => watch.silentMs(),
    close: () => watch.close(),
  }
}
