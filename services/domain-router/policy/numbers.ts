/** The numbers of the router's decisions; design §6 gives the first five, the others are defaults with their reason. Milliseconds unless the name says otherwise. */

/** A lease, from the echoed tick on the sender's clock. */
export const LEASE_MS = 4_000
/** Clocks of two machines may run apart by this much over one lease. */
export const GUARD_MS = 250
/** A sender refuses a tick older than 1 s; what is on its way needs the rest. */
export const FRESH_TICK_MS = 700
/** A grant nobody answered counts as held from here on, until its lease must be over. */
export const GRANT_TIMEOUT_MS = 1_000
/** … but its answer is waited for as long as such a lease may last: a sender that was stalled refuses late, and only its word says that the orders are free. */
export const GRANT_HEARD_MS = GRANT_TIMEOUT_MS + LEASE_MS + GUARD_MS
/** An order whose site rests longer than this waits in the stream, not here. */
export const REST_PARK_MS = 2_000

/** `senders.here` comes twice a second; three missed ones are a silence. */
export const HERE_SILENT_MS = 1_700
/** A sender silent for so long holds nothing any more: no router renewed it, its last lease is over. */
export const FORGET_SENDER_MS = 60_000
/** Within this every living sender says `senders.here` at least once. */
export const HEAR_ALL_MS = 1_100
/** Silent for longer than a TTL of ownership (12 s with three replicas) and a lease, a sender cannot hold a lease of a former owner. */
export const MIGHT_HOLD_MS = 20_000
/**
 * Sessions of an ended lease whose sender fell silent count for so long. A sender that lives reports them to the end (up to 10 min, delivery.md §4); of a
 * silent one they are most likely gone with it, and a reply to a dot that takes longer is rare.
 */
export const LINGER_MS = 60_000

/** What a lease should have queued: seconds of what it drains. */
export const QUEUE_AHEAD_S = 2
/** A session that nobody has measured yet is believed to do this many transactions a second. */
export const PER_SESSION_GUESS = 5
/** A new lease costs a connect, a greeting and a handshake: an order rather waits this long behind a warm one. */
export const NEW_LEASE_COSTS_S = 0.3
/** Recipients that merit a session of their own. */
export const RCPTS_PER_SESSION = 10
/** Orders in one grant: 100 of 300 bytes are a small message. */
export const ORDERS_PER_GRANT = 100
/** A lease with nothing to do and no warm session is given back after this. */
export const IDLE_LEASE_MS = 1_000
/** Sessions of one source over all sites of a shard: far above every row, so that only a fault meets it; 64 k ports divided by 60 shards. */
export const SESSIONS_PER_IP = 1_000
/** How long a wish for a second sender holds: longer than larger numbers may stay in force. */
export const SPLIT_MS = 10_000

/** Waiting for a word of the ip-manager or a sender: soon. */
export const SOON_MS = 1_000
/** A wait whose end nobody knows is looked at again then. */
export const UNKNOWN_REST_MS = 60_000
/** A rested order comes back at least this often, so that a rest lifted by hand ends for it too. */
export const PARK_AT_MOST_MS = 300_000
/** Orders that wait here before the largest heap is sent back to the schedule; of the consumer's 2,000. */
export const HELD_MOST = 1_000
export const HELD_AFTER_OVERFLOW = 800
export const OVERFLOW_REST_MS = 15_000

/** How often an active shard looks around. */
export const LOOK_MS = 250
export const DRAIN_EVERY_MS = 500
export const ALLOWANCE_EVERY_MS = 1_000
export const SAVE_EVERY_MS = 2_000
/** All of a shard's windows are one value: one that only grew is not worth writing it anew. */
export const SAVE_GROWTH_EVERY_MS = 30_000
/** An allowance that nothing limits is asked anew from this age on: twice before its 4 s are over. What limits it or stops it is asked every second. */
export const ALLOWANCE_FRESH_MS = 1_900
export const REBALANCE_EVERY_MS = 2_000
/** A site with nothing to do keeps no pairs (a pool may have a hundred) … */
export const QUIET_SITE_MS = 30_000
export const QUIET_LOOK_MS = 5_000
/** … and is forgotten after this; what was learnt about it stays in the shard's memory. */
export const FORGET_SITE_MS = 600_000
/** Quiet sites of a shard that are kept at all: some 2 KB each, and thirty-two shards share a tail of many thousands. */
export const SLEEPING_MOST = 128
/** None is forgotten sooner: what its sources started lately is in the ip-manager's counts by then. */
export const SLEPT_MS = 5_000
/** Remembered (IP × site) pairs of a shard: 60 bytes each, so 300 KB in its key at most. */
export const REMEMBERED_PAIRS = 5_000
/** How long "paused" or "cancelled" is believed without being said again: it is a message that may be lost. */
export const CAMPAIGN_HELD_MS = 10_000
export const MAX_ACK_PENDING = 2_000
