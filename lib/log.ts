/**
 * Structured logs on stderr, one JSON line an event. Known secrets are cut out of every line, wherever they stand:
 * a key that a library put into an error message is caught here too.
 */
import pino from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error";

export type Log = (level: LogLevel, fields: Record<string, unknown>, message: string) => void;

export interface LogOptions {
  level: LogLevel;
  /** Values that must not appear. Short ones are ignored: cutting them would garble everything. */
  secrets: readonly string[];
  /** Where lines go; stderr unless a test listens. */
  write?: (line: string) => void;
}

/** A secret shorter than this cannot be told from ordinary text. */
const SHORTEST_SECRET = 6;

export function createLog({ level, secrets, write = writeStderr }: LogOptions): Log {
  const scrub = createScrubber(secrets);
  const logger = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }, { write: (line) => write(scrubLine(line, scrub)) });
  return (lineLevel, fields, message) => logger[lineLevel](fields, message);
}

/** The line is still JSON afterwards, also when a secret looks like a number or like a part of the syntax. */
function scrubLine(line: string, scrub: (text: string) => string): string {
  return scrub(line) === line ? line : `${JSON.stringify(scrubValue(JSON.parse(line), scrub))}\n`;
}

function scrubValue(value: unknown, scrub: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, scrub));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [scrub(key), scrubValue(item, scrub)]),
    );
  }
  if (typeof value === "string") return scrub(value);
  const text = String(value);
  return scrub(text) === text ? value : scrub(text);
}

/** Replaces every known secret, also as it looks inside a URL or a JSON string. */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
    ]),
  );
  // Longest first: a secret that begins like another one must not leave its end behind.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((clean, secret) => clean.replaceAll(secret, "[secret]"), text);
}

const encoder = new TextEncoder();

function writeStderr(line: string): void {
  Deno.stderr.writeSync(encoder.encode(line));
}
