import type { Identity } from "./build_item.ts";
import type { PageVersion } from "./fetch_if_changed.ts";

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
   * Asked before the page behind a teaser of so many characters is fetched: whether a longer text of the article
   * is stored. Then the fetch is saved and the teaser is yielded as it is. `ingest` asks the database, so that
   * a feed read every night costs its pages once.
   */
  hasLongerText?: (entry: Identity, teaserChars: number) => Promise<boolean>;
  /** The version of a feed that was read before: unless there is another one, the feed has no entries this time. */
  knownVersion?: PageVersion;
  /** Told which version of a feed is read; not when it has not changed, and not for files. */
  onVersion?: (version: PageVersion) => void;
  /** Told the host of every page that was left out because this process was not granted it. */
  onNotGranted?: (host: string) => void;
}

/** The options as the readers of the formats use them. */
export interface ReadContext extends ReadOptions {
  now: Date;
}
