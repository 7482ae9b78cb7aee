/** How commands speak: results on stdout, everything else on stderr, one JSON document with `--json`. */
import pc from "picocolors";
import prettyMs from "pretty-ms";
import { createScrubber } from "../log.ts";
import { formatUsd, type Micros } from "../money.ts";
import { safe } from "../safe_text.ts";

export { safe } from "../safe_text.ts";

const encoder = new TextEncoder();
let scrub: (text: string) => string = (text) => text;

/** From now on these values are cut out of everything that a command says. */
export function hideSecrets(secrets: readonly string[]): void {
  scrub = createScrubber(secrets);
}

export function print(text = ""): void {
  writeAll(Deno.stdout, `${scrub(text)}\n`);
}

export function note(text: string): void {
  writeAll(Deno.stderr, `${scrub(text)}\n`);
}

/** One JSON document. Money is whole micro-dollars, times are ISO 8601. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Asks on stderr, so that stdout stays the result's alone. Anything but y or yes is a no. */
export function ask(question: string): boolean {
  writeAll(Deno.stderr, `${question} [y/N] `);
  const answer = new Uint8Array(64);
  const length = Deno.stdin.readSync(answer) ?? 0;
  return /^y(es)?$/i.test(new TextDecoder().decode(answer.subarray(0, length)).trim());
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    // The reader has seen enough (`desk articles | head`); the command itself goes on.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** An amount with the word that must stand beside money nobody was paid. */
export function money(amount: Micros, simulated: boolean): string {
  return simulated ? `${formatUsd(amount)} simulated` : formatUsd(amount);
}

export function duration(ms: number): string {
  return prettyMs(
    Math.max(0, ms),
    ms < 60_000 ? { secondsDecimalDigits: 1 } : { secondsDecimalDigits: 0, unitCount: 2 },
  );
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${Math.floor(part * 100 / whole)} %`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}

export function statusColour(status: string): string {
  const paint = status === "COMPLETED" || status === "ANALYZED"
    ? pc.green
    : status === "FAILED" || status === "CANCELLED"
    ? pc.red
    : status === "PARTIAL" || status === "PAUSED"
    ? pc.yellow
    : pc.cyan;
  return paint(status);
}

/** Cut to `width` characters with an ellipsis. */
export function shorten(text: string, width: number): string {
  const characters = [...safe(text).replaceAll(/\s+/g, " ").trim()];
  return characters.length <= width
    ? characters.join("")
    : `${characters.slice(0, width - 1).join("").trimEnd()}…`;
}

/** Broken at spaces to lines of `width` characters, each behind `indent`. */
export function wrap(text: string, width: number, indent = ""): string {
  return safe(text).split("\n").map((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(/\s+/).filter((part) => part !== "")) {
      if (line !== "" && line.length + 1 + word.length > width - indent.length) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...lines, line].map((each) => indent + each).join("\n");
  }).join("\n");
}

/** Columns of the terminal, within what reads well. */
export function terminalWidth(): number {
  try {
    return Math.max(40, Math.min(100, Deno.consoleSize().columns));
  } catch {
    return 100;
  }
}
