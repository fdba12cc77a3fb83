/** What the holder needs of a session worker. */
export interface Worker {
  /** does the open session lead to this recipient's hosts? */
  fits(domain: string): boolean
  /** close now unless the dot is out: the lease is over */
  stop(): void
  readonly phase: 'none' | 'open' | 'lingering'
  readonly done: Promise<void>
}
