import { createHash } from "node:crypto";

/** Source and id stand together in one index row of Postgres, which holds 2,704 bytes. */
const MAX_KEY_BYTES = 1_000;

/** Keeps a name or id short enough to be indexed; a longer one keeps its start and gets its hash appended. */
export function shortenKey(key: string): string {
  if (new TextEncoder().encode(key).length <= MAX_KEY_BYTES) return key;
  const start = key.slice(0, 100).replace(/\p{Surrogate}/gu, "");
  return `${start}…sha256:${createHash("sha256").update(key).digest("hex")}`;
}
