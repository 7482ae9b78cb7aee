/** What an executed notebook shows, as text: its sentences and its tables. */
import type { Notebook } from "../../notebooks/headless/notebook_file.ts";

export interface Shown {
  /** Everything, in order. */
  texts: string[];
  /** The rows of the table with these headings, by heading; fails when there is none. */
  table(...headings: string[]): Record<string, string>[];
  /** The groups of the first text that matches; fails when none does. */
  find(wanted: RegExp): string[];
}

export function readOutputs({ cells }: Notebook): Shown {
  const texts = cells.flatMap(({ outputs = [] }) =>
    outputs.flatMap(({ data }) => data?.["text/plain"] ? [joined(data["text/plain"])] : [])
  );
  return readTexts(texts);
}

/** @param texts As `show` prints them. */
export function readTexts(texts: string[]): Shown {
  const tables = texts.flatMap(parseTables);
  return {
    texts,
    table(...headings) {
      const found = tables.find((rows) => headings.every((heading) => heading in (rows[0] ?? {})));
      if (!found) {
        throw new Error(`No table with the headings ${headings.join(", ")} in\n${texts.join("\n")}`);
      }
      return found;
    },
    find(wanted) {
      const match = texts.map((text) => wanted.exec(text)).find((match) => match !== null);
      if (!match) throw new Error(`No text like ${wanted} in\n${texts.join("\n")}`);
      return match.slice(1);
    },
  };
}

/** Micro-dollars of "$0.0122", as far as it is written out: money is cut, so the true amount may be a little more. */
export function microsOf(text: string | undefined): number {
  const match = /^\$([\d,]+)\.(\d+)/.exec(text?.trim() ?? "");
  if (!match) throw new Error(`Not an amount: ${text}`);
  return Number(match[1]?.replaceAll(",", "")) * 1_000_000 + Number(match[2]?.padEnd(6, "0"));
}

/** Dollars as the desk writes an amount: cut, never rounded up. */
export function writtenUsd(micros: number): string {
  const decimals = micros >= 1_000_000 ? 2 : micros >= 100 || micros === 0 ? 4 : 6;
  const unit = 10 ** (6 - decimals);
  return `$${(Math.floor(micros / unit) * unit / 1_000_000).toFixed(decimals)}`;
}

function joined(value: unknown): string {
  return Array.isArray(value) ? value.join("") : String(value);
}

/** Columns are parted by two spaces, and no cell is empty. */
function parseTables(text: string): Record<string, string>[][] {
  const lines = text.split("\n").map((line) => line.trim().split(/\s{2,}/));
  const start = lines.findIndex((cells, index) =>
    cells.length > 1 && lines[index + 1]?.length === cells.length
  );
  const headings = lines[start];
  if (start < 0 || headings === undefined) return [];
  const rows = lines.slice(start + 1).filter((cells) => cells.length === headings.length);
  return [
    rows.map((cells) =>
      Object.fromEntries(headings.map((heading, column) => [heading, cells[column] ?? ""]))
    ),
  ];
}
