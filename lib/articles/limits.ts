/**
 * The largest entry that is taken in: one file of Markdown, one line of JSONL, one object of JSON, the content
 * of one feed entry. In bytes for files and lines, in characters for text that is already decoded.
 * A long book is 2 MB of text, so anything beyond is not a newsletter article.
 */
export const MAX_ENTRY_SIZE = 5 * 1024 * 1024;

/** The largest `.json` file, in bytes: it has to be parsed in one piece. JSONL has no such bound. */
export const MAX_JSON_FILE_BYTES = 128 * 1024 * 1024;

/** The largest feed, fetched or from a file, in bytes after decompression. */
export const MAX_FEED_BYTES = 10 * 1024 * 1024;

/** The largest article page, in bytes after decompression. */
export const MAX_PAGE_BYTES = 2 * 1024 * 1024;

/** The reason given for an entry over `MAX_ENTRY_SIZE`. */
export const TOO_LARGE = `larger than ${MAX_ENTRY_SIZE / 1024 / 1024} MB, the most one entry may have`;
