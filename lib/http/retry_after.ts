/** When a server asks to be asked again. */

/**
 * Reads a Retry-After header: seconds, or a date measured against the answer's own Date, so that a wrong local clock
 * does no harm. Returns ms, or undefined when there is none or it makes no sense.
 */
export function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  if (/^\d{1,9}(\.\d{1,9})?$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value) - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(until) ? Math.max(0, until) : undefined;
}
