/** Asks a server only for what is new to us, as polite readers of feeds do. */
import { type FetchedPage, type FetchKind, type FetchOptions, fetchWith, readText } from "./fetch_page.ts";

/** What a server calls the version of a page, to be asked later whether there is another one. */
export interface PageVersion {
  etag: string | null;
  lastModified: string | null;
}

/** Like `fetchPage`, but asks for the page only if it is another one than `known`. Null: it is not. */
export async function fetchIfChanged(
  address: string,
  kind: FetchKind,
  known: PageVersion,
  options: FetchOptions = {},
): Promise<FetchedPage & { version: PageVersion } | null> {
  const conditions = {
    ...(known.etag === null ? {} : { "if-none-match": known.etag }),
    ...(known.lastModified === null ? {} : { "if-modified-since": known.lastModified }),
  };
  const asked = Object.keys(conditions).length > 0;
  return await fetchWith(address, conditions, options, async (response, url) => {
    if (asked && response.statusCode === 304) return null;
    const { etag, "last-modified": lastModified } = response.headers;
    return {
      text: await readText(response, kind, address),
      address: url.href,
      version: { etag: etag ?? null, lastModified: lastModified ?? null },
    };
  });
}
