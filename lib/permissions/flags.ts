/**
 * Needs as flags of `deno run`. A flag takes the place of what the set that `-P` names allows of its kind; several flags
 * of a kind add up (Deno 2.9.6, measured).
 */
import type { Need } from "./needs.ts";

/** What the program is made of and reads when it runs; `.env` and `.git` are not among it. */
export const PROGRAM = ["bot", "deno.json", "jobs", "lib", "main.ts", "migrations", "node_modules"];

export interface FlagOptions {
  needs: readonly Need[];
  /** Every name the program may see; empty: those of its set. */
  names: readonly string[];
}

/** One word each. What has a space or a comma in it is left out: no word of a shell can carry it. */
export function listFlags({ needs, names }: FlagOptions): string[] {
  return [
    ...listFlagsOf("net", needs.filter(isOneWord)),
    ...listFlagsOf("read", needs.filter(isOneWord)),
    ...listFlagsOf("write", needs.filter(isOneWord)),
    ...flagOf("env", names),
  ];
}

/** The flag for all needs of one kind. */
export function listFlagsOf(kind: Need["kind"], needs: readonly Need[]): string[] {
  const values = new Set(needs.filter((need) => need.kind === kind).map(({ value }) => value));
  if (values.has("*")) return ["--allow-net"];
  return flagOf(kind, kind === "read" ? [...PROGRAM, ...values] : [...values]);
}

/** No values, no flag. */
export function flagOf(kind: Need["kind"] | "env", values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`--allow-${kind}=${values.join(",")}`];
}

function isOneWord({ value }: Need): boolean {
  return !/[\s,]/.test(value);
}
