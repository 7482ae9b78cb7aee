/** Figures as they stand in the chat. Tables fit a phone: about 35 characters of a monospaced block. */
import { bold, fmt, FormattedString, pre } from "@grammyjs/parse-mode";
import prettyMs from "pretty-ms";

export { count, money } from "../../lib/alerts/words.ts";

/** Characters of a monospaced line that a phone shows without wrapping. */
export const PHONE_WIDTH = 35;

/** Anything that may stand in a message. */
export type Piece = FormattedString | string;

/** Pieces below each other; null ones are left out. */
export function lines(...pieces: readonly (Piece | null)[]): FormattedString {
  return FormattedString.join(pieces.filter((piece) => piece !== null), "\n");
}

/** Blocks with an empty line between them; null and empty ones are left out. */
export function blocks(...pieces: readonly (Piece | null)[]): FormattedString {
  return FormattedString.join(
    pieces.filter((piece) => piece !== null).filter((piece) => piece.toString() !== ""),
    "\n\n",
  );
}

/** A text without any formatting of its own. */
export function plain(text: string): FormattedString {
  return new FormattedString(text);
}

export function strong(text: Piece): FormattedString {
  return fmt`${bold}${text}${bold}`;
}

/** A monospaced block. */
export function block(text: string): FormattedString {
  return fmt`${pre}${text}${pre}`;
}

/** Names and values, the values in one column. Values that are null are left out. */
export function facts(rows: readonly (readonly [name: string, value: string | null])[]): FormattedString {
  const shown = rows.flatMap(([name, value]) => value === null ? [] : [[name, value] as const]);
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return block(
    shown.map(([name, value]) =>
      value.split("\n").map((line, index) => `${(index === 0 ? name : "").padEnd(width)}${line}`).join("\n")
    ).join("\n"),
  );
}

/** What is left of a phone's line behind a name of `facts`. */
const VALUE_WIDTH = PHONE_WIDTH - 10;

/** Both on one line where that fits a phone, else below each other. */
export function fitting(first: string, second: string): string {
  const line = `${first}, ${second}`;
  return line.length <= VALUE_WIDTH ? line : `${first},\n${second}`;
}

/** Columns parted by `gap`; numbers (`right`) end below each other. */
export function table(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
  gap = "  ",
): FormattedString {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, column) => Math.max(cell.length, most[column] ?? 0)),
    [],
  );
  return block(
    rows.map((row) =>
      row.map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])
      ).join(gap).trimEnd()
    ).join("\n"),
  );
}

export function duration(ms: number): string {
  const whole = Math.max(0, ms);
  return whole < 1_000
    ? "under 1s"
    : prettyMs(whole, { secondsDecimalDigits: 0, unitCount: whole < 60_000 ? 1 : 2 });
}

/** "about 2m 30s", for what is only expected. */
export function roughly(ms: number): string {
  return ms < 1_000 ? duration(ms) : `about ${duration(ms)}`;
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${Math.floor(part * 100 / whole)} %`;
}

/** `▓▓▓▓░░░░`: full only when everything is done. */
export function bar(done: number, total: number, width = 16): string {
  const full = total === 0 ? 0 : Math.max(0, Math.min(width, Math.floor(done * width / total)));
  return "▓".repeat(full) + "░".repeat(width - full);
}

/** Time of day in the zone of the settings; with the date when it is not of the same day as `now`. */
export function clock(at: Date, zone: string, now: Date): string {
  const day = (date: Date) => date.toLocaleDateString("en-CA", { timeZone: zone });
  const time = at.toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  if (day(at) === day(now)) return time;
  const date = at.toLocaleDateString("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  const year = day(at).slice(0, 4) === day(now).slice(0, 4) ? "" : ` ${day(at).slice(0, 4)}`;
  return `${date}${year} ${time}`;
}

/** "12 min ago". */
export function ago(at: Date, now: Date): string {
  const ms = now.getTime() - at.getTime();
  return ms < 1_000 ? "just now" : `${duration(ms)} ago`;
}
