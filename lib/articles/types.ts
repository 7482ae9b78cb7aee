/** An article as a source delivers it, before it is stored. All text is plain text, never HTML. */
export interface IncomingArticle {
  /** Where it came from in words that stay the same from run to run: feed URL, folder name, file name. */
  source: string;
  /** The source's own id (feed guid, slug, JSON id), unique within `source`; null when it has none. */
  externalId: string | null;
  /** Normalised address of the article; null when it has none. */
  url: string | null;
  title: string;
  /** Plain text, paragraphs parted by a blank line. May be empty: the identifier refuses it, not the reader. */
  body: string;
  /** ISO 639-1 code, declared by the source or detected; null when neither is certain. */
  language: string | null;
  publishedAt: Date | null;
}

/** One entry of a source that could not be taken in, with the reason for a person. */
export interface BrokenEntry {
  /** File name, feed entry title or "line 12": enough to find it. */
  where: string;
  reason: string;
}

export type IngestItem =
  | {
    kind: "article";
    article: IncomingArticle;
    where: string;
    /** The text is only the beginning of the article, so it never replaces a longer stored text. */
    isTeaser?: boolean;
  }
  | { kind: "broken"; broken: BrokenEntry };

/** What one ingestion did. new + known + broken = entries read. */
export interface IngestReport {
  source: string;
  new: number;
  /** Already stored: same source id, same normalised URL or same body. */
  known: number;
  /** Those of the known whose source id or URL is stored with another text, which was replaced. */
  updated: number;
  broken: BrokenEntry[];
  /** The feed is as it was when it was read last, so it was not read again. */
  unchanged?: boolean;
  /** Hosts of pages that were left out because this process was not granted them; teasers stand for their articles. */
  notGranted?: string[];
}
