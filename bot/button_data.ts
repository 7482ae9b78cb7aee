/**
 * What stands behind a button: "<version>:<verb>:<argument>…", at most 64 bytes. Buttons of old messages keep working as
 * long as the version is the same; anything else is told to be of no use and changes nothing.
 */

const VERSION = "1";
/** Bot API, InlineKeyboardButton. */
const MAX_BYTES = 64;

export const VERBS = [
  "yes",
  "no",
  "status",
  "details",
  "pause",
  "resume",
  "cancel",
  "recover",
  "articles",
  "analysis",
  "sessions",
  "cost",
  "budget",
  "unknown",
  "verdict",
  "alerts",
  "ack",
  "mute",
  "unmute",
  "health",
] as const;
export type Verb = (typeof VERBS)[number];

export interface ButtonPress {
  verb: Verb;
  args: string[];
}

/** @throws RangeError when it is too long, which is a defect: arguments are tokens and numbers. */
export function buttonData(verb: Verb, ...args: readonly (string | number)[]): string {
  const data = [VERSION, verb, ...args].join(":");
  if (new TextEncoder().encode(data).length > MAX_BYTES) {
    throw new RangeError(`Button data must have at most ${MAX_BYTES} bytes, got ${data}`);
  }
  return data;
}

/** Null for anything that `buttonData` did not make. */
export function readButton(data: string | undefined): ButtonPress | null {
  const [version, name, ...args] = (data ?? "").split(":");
  const verb = VERBS.find((known) => known === name);
  const plain = args.length <= 4 && args.every((arg) => /^[\w.-]{1,48}$/.test(arg));
  return version === VERSION && verb !== undefined && plain ? { verb, args } : null;
}

/** A number from a button, at least 0; null for anything else. */
export function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
