/** What a caller may say about a reading. */
export interface ReadOptions {
  /**
   * Also fetch from private, loopback and other non-public addresses. Off by default: a feed must not be able
   * to make this process ask the machines around it.
   */
  allowPrivateAddresses?: boolean;
  /** Ends the reading; what was under way rejects with the signal's reason. */
  signal?: AbortSignal;
  /** The time that dates in the future are measured against; the clock unless a test sets it. */
  now?: Date;
  /**
   * Asked before the page behind a teaser is fetched; true saves the fetch and the teaser is yielded as it is.
   * `ingest` answers with what the database holds, so that a feed read every night costs its pages once.
   */
  hasFullText?: (
    entry: { source: string; externalId: string | null; url: string | null },
  ) => Promise<boolean>;
}

/** The options as the readers of the formats use them. */
export interface ReadContext extends ReadOptions {
  now: Date;
}
