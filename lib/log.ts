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
  }, { write: (line) => write(scrub(line)) });
  return (lineLevel, fields, message) => logger[lineLevel](fields, message);
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
  return (text) => [...forms].reduce((clean, secret) => clean.replaceAll(secret, "[secret]"), text);
}

const encoder = new TextEncoder();

function writeStderr(line: string): void {
  Deno.stderr.writeSync(encoder.encode(line));
}
