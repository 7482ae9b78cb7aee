import normalizeUrl from "normalize-url";

/** Longer addresses do not fit an index row of Postgres (2,704 bytes) and are session data, not an identity. */
const MAX_URL_CHARS = 2_000;

/** What newsletters add to count clicks; none of it changes the page. */
const TRACKING = [/^utm_\w+$/i, /^mc_[ce]id$/i, "fbclid", "gclid", "ref_src", "_hsenc", "_hsmi"];

/**
 * The one spelling of an article's address, so that two deliveries of it compare equal: https, no "www.", no
 * fragment, no tracking parameters, sorted parameters, no trailing slash, no credentials. It is an identity;
 * fetching uses the address as it was given. Null for anything but an absolute http(s) address.
 */
export function normalizeArticleUrl(address: string): string | null {
  if (!isWebAddress(address)) return null;
  try {
    const url = normalizeUrl(address.trim(), {
      forceHttps: true,
      stripHash: true,
      stripWWW: true,
      stripAuthentication: true,
      removeQueryParameters: TRACKING,
      sortQueryParameters: true,
      removeTrailingSlash: true,
    });
    return url.length <= MAX_URL_CHARS ? url : null;
  } catch {
    return null;
  }
}

/** Whether a text is an absolute http(s) address. */
export function isWebAddress(text: string): boolean {
  return /^\s*https?:\/\//i.test(text) && URL.canParse(text.trim());
}

/** Resolves a link against the address it stands in; null when the outcome is not an http(s) address. */
export function resolveLink(link: string, base: string | null): string | null {
  const trimmed = link.trim();
  if (trimmed === "") return null;
  const url = URL.parse(trimmed, base ?? undefined);
  return url && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null;
}
