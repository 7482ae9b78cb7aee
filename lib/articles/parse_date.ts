/** Clocks differ and posts are scheduled, but a date further ahead than this is a mistake. In ms. */
const MAX_AHEAD_MS = 2 * 24 * 60 * 60 * 1000;

const HAS_ZONE = /(?:Z|[+-]\d{2}:?\d{2}|\b[A-Z]{1,5})(?:\s*\(.*\))?$/i;
const HAS_TIME = /\d:\d{2}/;

/**
 * Reads a publication date as feeds, front matter and JSON write it: ISO 8601, RFC 822, seconds or ms since
 * 1970. A time without a zone is UTC, so that the answer does not depend on the machine. Returns null for what
 * does not parse, for 1970 and before (an unset clock), and for more than two days after `now`.
 */
export function parseDate(value: unknown, now: Date): Date | null {
  const ms = typeof value === "number" ? fromEpoch(value) : typeof value === "string" ? fromText(value) : NaN;
  if (!(ms > 0) || ms > now.getTime() + MAX_AHEAD_MS) return null;
  return new Date(ms);
}

function fromEpoch(value: number): number {
  // 1e11 seconds is the year 5138, 1e11 ms is 1973: between the two readings there is no doubt.
  return Math.trunc(value < 1e11 ? value * 1000 : value);
}

function fromText(value: string): number {
  const text = value.trim();
  if (text.length > 64) return NaN;
  if (HAS_TIME.test(text) && HAS_ZONE.test(text)) return Date.parse(text);
  const inUtc = Date.parse(`${text}Z`);
  return Number.isNaN(inUtc) ? Date.parse(`${text} UTC`) : inUtc;
}
