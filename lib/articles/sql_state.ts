/** The five characters by which Postgres names an error; null when the error is not the database's. */
export function sqlStateOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Data, constraint and size errors are the row's fault: the same row fails again, others do not. */
export function isFaultOfRow(error: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlStateOf(error) ?? "");
}

/** Deadlock and serialization failure: the same statement may succeed when it is repeated. */
export function isRaceLost(error: unknown): boolean {
  return /^40/.test(sqlStateOf(error) ?? "");
}
